"""`digest init`, as the real command, against pages on loopback."""

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from digest.cli import cli
from digest.documents import Configuration, read_configuration
from digest.services.config import packaged_gazetteer, read_files
from digest.settings import Instance
from tests.cli.sites import serving

ITEM = "<item><title>Bread is dear, part {0}</title><link>https://h.example/{0}</link></item>"
ITEMS = "".join(ITEM.format(number) for number in range(3))
PAGES = {
    "/rss": f'<rss version="2.0"><channel><title>The Herald</title>{ITEMS}</channel></rss>',
    "/": '<html><link rel="alternate" type="application/rss+xml" href="/rss"></html>',
    "/bare": "<html>nothing here</html>",
}


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with serving(PAGES) as address:
        yield address


def digest(folder: Path, *arguments: str, **options: object) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "DIGEST_POLLING__ALLOW": '["127.0.0.0/8"]'}
    return subprocess.run([sys.executable, "-m", "digest", *arguments], cwd=folder, env=environment, text=True,
                          capture_output=True, **({"stdin": subprocess.DEVNULL} | options))  # type: ignore[call-overload, no-any-return]


def written(folder: Path) -> Configuration:
    return read_configuration(read_files(Instance(folder)), packaged_gazetteer())


def test_flags_alone_make_an_instance_that_works_without_options(tmp_path: Path, site: str) -> None:
    made = digest(tmp_path, "init", "mine", "--region", "Lilliput", "--parent", "South Seas", "--zone", "Asia/Almaty",
                  "--feed", site + "/", "--reader", "Anna@Example.org", "--send-time", "6:30")
    assert made.returncode == 0, made.stderr
    assert f"The Herald: 3 items, language en, {site}/rss" in made.stdout
    assert "digest --instance mine preview" in made.stdout and "digest --instance mine serve" in made.stdout
    newsletter = written(tmp_path / "mine").newsletters["lilliput"]
    assert (newsletter.name, f"{newsletter.send_time:%H:%M}") == ("Lilliput News", "06:30")
    check = digest(tmp_path / "mine", "check")
    assert (check.returncode, check.stderr) == (0, "")
    assert "1 newsletter, 1 source, 1 feed" in check.stdout
    readers = digest(tmp_path / "mine", "subscribers", "list")
    assert "anna@example.org" in readers.stdout


def test_a_folder_with_a_configuration_is_left_alone(tmp_path: Path, site: str) -> None:
    flags = ("--region", "Lilliput", "--zone", "UTC", "--feed", site + "/rss")
    assert digest(tmp_path, "init", "mine", *flags).returncode == 0
    before = read_files(Instance(tmp_path / "mine"))
    again = digest(tmp_path, "init", "mine", *flags, "--name", "Other")
    assert again.returncode == 1
    assert "holds a configuration already" in again.stderr
    assert read_files(Instance(tmp_path / "mine")) == before


@pytest.mark.parametrize(("flags", "said"), [
    (("--region", "Lilliput"), "missing --zone, --feed"),
    (("--region", "L", "--zone", "Lilliput", "--feed", "x"), "use an IANA name"),
    (("--region", "L", "--zone", "UTC", "--feed", "x", "--reader", "nobody"), "nobody"),
    (("--region", "L", "--zone", "UTC", "--feed", "x", "--send-time", "25:00"), "use a time of day"),
])
def test_what_is_missing_or_wrong_is_said_before_anything_is_made(
    tmp_path: Path, flags: tuple[str, ...], said: str
) -> None:
    result = CliRunner().invoke(cli, ["init", str(tmp_path / "mine"), *flags])
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize(("path", "said"), [("/gone", "404"), ("/bare", "look for an RSS link")])
def test_a_feed_that_does_not_answer_is_refused_unless_forced(tmp_path: Path, site: str, path: str, said: str) -> None:
    flags = ("init", "mine", "--region", "Lilliput", "--zone", "UTC", "--feed", site + path)
    refused = digest(tmp_path, *flags)
    assert refused.returncode == 1
    assert said in refused.stderr
    assert not (tmp_path / "mine" / "config").exists()
    forced = digest(tmp_path, *flags, "--force")
    assert forced.returncode == 0
    assert [feed.url for feed in written(tmp_path / "mine").feeds] == [site + path]


def test_on_a_terminal_it_asks_and_asks_again(tmp_path: Path, site: str) -> None:
    ours, theirs = pty.openpty()
    answers = ["Lilliput", "", "", "Nowhere", "Asia/Almaty", "nobody", "anna@example.org", f"{site}/gone", site, ""]
    os.write(ours, "".join(f"{answer}\n" for answer in answers).encode())
    made = digest(tmp_path, "init", "mine", stdin=theirs)
    os.close(ours)
    os.close(theirs)
    assert made.returncode == 0, made.stdout + made.stderr
    configuration = written(tmp_path / "mine")
    assert configuration.newsletters["lilliput"].zone == "Asia/Almaty"
    assert [feed.url for feed in configuration.feeds] == [f"{site}/rss"]
    assert "anna@example.org" in digest(tmp_path / "mine", "subscribers", "list").stdout
