"""doctor, dkim new and send-test, as an operator types them."""

import os
import re
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from digest.cli import cli
from digest.mail.dkim import read_key
from tests.smtp_sink import Sink
from tools.dns_stub import name_server

NEWSLETTER = 'name = "Kazakhstan News"\nregion = "Kazakhstan"\nzone = "Asia/Almaty"\nregions = ["Kazakhstan"]\n'
SITE = '[site]\nurl = "https://news.example.org"\npostal_address = "1 Example Street"\n'


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    (tmp_path / "config" / "newsletters").mkdir(parents=True)
    (tmp_path / "config" / "newsletters" / "kazakhstan.toml").write_text(NEWSLETTER)
    settings(tmp_path)
    return tmp_path


def settings(instance: Path, more: str = "") -> None:
    (instance / "config" / "digest.toml").write_text(SITE + more)


def smtp(port: int, **more: str) -> str:
    lines = [f'host = "127.0.0.1"\nport = {port}\ntls = "none"\ntimeout_seconds = 2', *(
        f"{key} = {value}" for key, value in more.items())]
    return "[smtp]\n" + "\n".join(lines) + "\n"


def run(instance: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--instance", str(instance), *arguments], catch_exceptions=False)


def test_dkim_new_makes_keys_that_only_their_owner_reads(instance: Path) -> None:
    result = run(instance, "dkim", "new", "--selector", "s1")
    assert result.exit_code == 0
    for name in ("s1-rsa", "s1-ed25519"):
        path = instance / "var" / "dkim" / f"{name}.pem"
        assert os.stat(path).st_mode & 0o777 == 0o600
        record = re.search(rf"^{name}\._domainkey\.news\.example\.org\. IN TXT (.*)$", result.stdout, re.M)
        assert record is not None
        assert record[1].replace('" "', "").strip('"') == read_key(path).record()
    assert 'selectors = ["s1-rsa", "s1-ed25519"]' in result.stderr


def test_a_key_is_never_overwritten(instance: Path) -> None:
    arguments = ("dkim", "new", "--selector", "s1", "--algorithm", "ed25519")
    assert run(instance, *arguments).exit_code == 0
    before = (instance / "var" / "dkim" / "s1.pem").read_bytes()
    again = CliRunner().invoke(cli, ["--instance", str(instance), *arguments])
    assert again.exit_code == 1 and "another DKIM key is called 's1'" in str(again.exception)
    assert (instance / "var" / "dkim" / "s1.pem").read_bytes() == before


def test_a_selector_that_dns_cannot_hold_is_refused(instance: Path) -> None:
    result = run(instance, "dkim", "new", "--selector", "a.b")
    assert result.exit_code == 2 and "no selector" in result.stderr
    assert not (instance / "var" / "dkim").exists()


def test_a_test_mail_takes_the_way_of_all_mail(instance: Path, sink: Sink) -> None:
    run(instance, "dkim", "new", "--selector", "s1")
    settings(instance, smtp(sink.port) + '[mail]\nbounce_domain = "bounce.example.org"\n'
             '[dkim]\nselectors = ["s1-rsa", "s1-ed25519"]\n')
    result = run(instance, "send-test", "Me@Example.net")
    assert result.exit_code == 0, result.output
    assert "State       sent" in result.stdout and "Signed by   s1-rsa, s1-ed25519" in result.stdout
    (data,) = sink.contents
    mail = message_from_bytes(data, policy=default)
    assert sink.recipients == ["me@example.net"]
    assert mail["Subject"] == "A test mail of Region Digest"
    assert len(mail.get_all("DKIM-Signature")) == 2


def test_a_test_mail_that_nobody_takes_says_why(instance: Path, sink: Sink) -> None:
    sink.rcpt = {"me@example.net": "550 5.1.1 no such user"}
    settings(instance, smtp(sink.port))
    result = run(instance, "send-test", "me@example.net")
    assert result.exit_code == 1
    assert re.search(r"State       failed: .*550 5\.1\.1 no such user", result.stdout)


def test_a_key_that_is_missing_is_named(instance: Path) -> None:
    settings(instance, '[dkim]\nselectors = ["gone"]\n')
    result = run(instance, "doctor", "--no-dns")
    assert result.exit_code == 1
    assert "var/dkim/gone.pem" in result.stdout.replace("\n", "").replace(" ", "")
    sent = CliRunner().invoke(cli, ["--instance", str(instance), "send-test", "me@example.net"])
    assert sent.exit_code == 1 and "gone.pem" in str(sent.exception)


def test_the_doctor_logs_in_and_finds_all_well(instance: Path, sink: Sink) -> None:
    run(instance, "dkim", "new", "--selector", "s1", "--algorithm", "ed25519")
    settings(instance, smtp(sink.port) + '[dkim]\nselectors = ["s1"]\n')
    record = read_key(instance / "var" / "dkim" / "s1.pem").record()
    zone = {
        "news.example.org": ["TXT v=spf1 ip4:203.0.113.5 -all", "MX mail.example.org", "A 203.0.113.5"],
        "mail.example.org": ["A 203.0.113.5"], "s1._domainkey.news.example.org": [f"TXT {record}"],
        "_dmarc.example.org": ["TXT v=DMARC1; p=reject"], "5.113.0.203.in-addr.arpa": ["PTR mail.example.org"]}
    with name_server(zone) as port:
        result = run(instance, "doctor", "--ip", "203.0.113.5", "--nameserver", f"127.0.0.1:{port}")
    assert result.exit_code == 0, result.output
    assert f"127.0.0.1:{sink.port}, not encrypted, no log-in is set" in result.stdout
    for what in ("SPF news.example.org", "DKIM s1._domainkey.news.example.org", "DMARC _dmarc.news.example.org",
                 "return path news.example.org", "PTR 203.0.113.5"):
        assert f"{what}: ok" in result.stdout
    assert sink.recipients == []


def test_the_doctor_prints_what_dns_lacks(instance: Path, sink: Sink) -> None:
    settings(instance, smtp(sink.port))
    with name_server({}) as port:
        result = run(instance, "doctor", "--ip", "203.0.113.5", "--nameserver", f"127.0.0.1:{port}")
    assert result.exit_code == 1
    assert 'set       news.example.org. IN TXT "v=spf1 ip4:203.0.113.5 -all"' in result.stdout
    assert "set       news.example.org. IN MX 10 news.example.org." in result.stdout


@pytest.mark.parametrize(("more", "said"), [
    (smtp(9), "SMTP server main"),  # nothing listens there
    ('[smtp]\nhost = "smtp.example.org"\n[mail]\nsender = ""\n[site]\n', "not valid TOML"),
    ("[sitee]\n", "unknown section"),
    ('[database]\nurl = "postgresql://nobody@127.0.0.1:9/none"\n', "database"),
    ('[database]\nurl = "sqlite:////proc/none/x.sqlite3"\n', "database"),
])
def test_the_doctor_names_what_is_broken(instance: Path, more: str, said: str) -> None:
    settings(instance, more)
    result = run(instance, "doctor", "--no-dns")
    assert result.exit_code == 1
    shown = " ".join(result.stdout.split())  # a long path wraps its line
    assert re.search(rf"fault .*{said}|{said} fault", shown)


def test_a_name_server_that_is_none_is_refused(instance: Path) -> None:
    assert run(instance, "doctor", "--nameserver", "nowhere").exit_code == 2


def test_without_a_domain_the_doctor_asks_for_one(tmp_path: Path) -> None:
    result = run(tmp_path, "doctor", "--nameserver", "127.0.0.1:9")
    assert "mail has no domain of its own yet" in result.stdout
    assert run(tmp_path, "dkim", "new").exit_code == 2
