"""Settings of SMTP servers: the short form, several by name, secrets, and what is refused."""

from pathlib import Path

import pytest

from digest.errors import ConfigError
from digest.settings import Instance, Settings, load_settings


def settings(folder: Path, text: str) -> Settings:
    (folder / "config").mkdir()
    (folder / "config" / "digest.toml").write_text(text)
    return load_settings(Instance(folder))


def test_one_server_is_written_in_its_section(tmp_path: Path) -> None:
    servers = settings(tmp_path, '[smtp]\nhost = "mail.example.org"\nper_second = 14\n').smtp.by_name
    assert list(servers) == ["main"]
    assert (servers["main"].host, servers["main"].per_second, servers["main"].tls_verify) == (
        "mail.example.org", 14, True)


def test_several_servers_are_asked_by_priority(tmp_path: Path) -> None:
    smtp = settings(tmp_path, """
[smtp]
host = "a.example.org"
priority = 2
[smtp.servers.first]
host = "b.example.org"
[smtp.servers.last]
host = "c.example.org"
priority = 3
[smtp.domains."Example.com"]
connections = 2
per_minute = 30
""").smtp
    assert list(smtp.by_name) == ["first", "main", "last"]
    assert smtp.domains["Example.com"].per_minute == 30


def test_a_named_server_alone_is_enough(tmp_path: Path) -> None:
    assert list(settings(tmp_path, '[smtp.servers.relay]\nhost = "b.example.org"\n').smtp.by_name) == ["relay"]


def test_a_password_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGEST_SMTP__SERVERS__RELAY__PASSWORD", "secret")
    server = settings(tmp_path, '[smtp.servers.relay]\nhost = "b.example.org"\n').smtp.by_name["relay"]
    assert (server.host, server.password.get_secret_value()) == ("b.example.org", "secret")


def test_a_password_comes_from_a_secret_file(tmp_path: Path) -> None:
    for name in ("DIGEST_SMTP__PASSWORD", "DIGEST_SMTP__SERVERS__RELAY__PASSWORD"):
        (tmp_path / name).write_text(f"of {name}\n")
    smtp = Settings(smtp={"host": "a", "servers": {"relay": {"host": "b"}}},  # type: ignore[arg-type]
                    _secrets_dir=tmp_path).smtp  # type: ignore[call-arg]
    assert [server.password.get_secret_value() for server in smtp.by_name.values()] == [
        "of DIGEST_SMTP__PASSWORD", "of DIGEST_SMTP__SERVERS__RELAY__PASSWORD"]


@pytest.mark.parametrize(("text", "words"), [
    ("[smtp.servers.relay]\nport = 25\n", "has no host"),
    ('[smtp.servers.main]\nhost = "a"\n', "is the name of the server in"),
    ('[smtp.servers.relay]\nhots = "a"\n', "unknown key"),
    ("[smtp]\nconnections = 0\n", "greater than or equal to 1"),
])
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        settings(tmp_path, text)
    assert caught.value.line is not None
