"""preview, send and why, on an instance whose feed is a real server on loopback."""

import email.utils
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from digest.app import open_app
from digest.cli import cli
from digest.model import Frequency, Preferences
from digest.storage.subscribers import set_preferences

HEADLINE = "Bus drivers in Almaty strike over unpaid wages"
OTHER = "Grain terminal at Aktau doubles night shifts"


def document(now: datetime) -> bytes:
    entries = "".join(
        f"<item><title>{title}</title><link>https://herald.example/{number}</link><guid>{number}</guid>"
        f"<description>{title}, a union said. More is to come.</description>"
        f"<pubDate>{email.utils.format_datetime(now - timedelta(hours=number))}</pubDate></item>"
        for number, title in enumerate((HEADLINE, OTHER), start=1))
    return f'<rss version="2.0"><channel><title>Herald</title>{entries}</channel></rss>'.encode()


class FeedHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = document(datetime.now(UTC))
        self.send_response(200)
        self.send_header("Content-Type", "application/rss+xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keeps the output of the tests quiet."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), FeedHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def instance(tmp_path: Path, port: int) -> Path:
    texts = {
        "digest.toml": f'[polling]\nallow = ["127.0.0.1/32:{port}"]\nparse_workers = 1\n',
        "newsletters/kazakhstan.toml":
            'name = "Kazakhstan News"\nregion = "Kazakhstan"\nzone = "Asia/Almaty"\nsources = ["herald"]\n',
        "sources/all.toml":
            '[[sources]]\nslug = "herald"\nname = "Herald"\n[[sources.feeds]]\n'
            f'url = "http://127.0.0.1:{port}/rss"\nregion = "Kazakhstan"\nlanguage = "en"\n',
    }
    for name, text in texts.items():
        path = tmp_path / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def run(instance: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--instance", str(instance), *arguments])


def ok(instance: Path, *arguments: str) -> Result:
    result = run(instance, *arguments)
    assert result.exit_code == 0, result.output
    return result


def mails(instance: Path) -> list[Path]:
    return sorted((instance / "var" / "outbox").glob("*.eml"))


def test_the_first_preview_polls_and_says_so(instance: Path) -> None:
    first = ok(instance, "preview")
    assert "Never polled: polling 1 feeds first" in first.stderr
    assert HEADLINE in first.stdout and "Why it leads" in first.stdout and "Checked: errors 0" in first.stdout
    written = list((instance / "var" / "preview").glob("kazakhstan-*.html"))
    assert len(written) == 1 and HEADLINE in written[0].read_text(encoding="utf-8")
    assert "Never polled" not in ok(instance, "preview").stderr
    assert not mails(instance)


@pytest.mark.parametrize("kind", ["html", "text", "json", "eml"])
def test_one_instant_gives_the_same_bytes(instance: Path, kind: str, tmp_path: Path) -> None:
    ok(instance, "preview")
    now = datetime.now(UTC).isoformat()
    first = ok(instance, "preview", "--now", now, "--format", kind).stdout_bytes
    ok(instance, "poll", "--all")
    assert ok(instance, "preview", "--now", now, "--format", kind).stdout_bytes == first
    out = tmp_path / "edition.out"
    ok(instance, "preview", "kazakhstan", "--now", now, "--format", kind, "--out", str(out))
    assert out.read_bytes() == first


def test_before_anything_was_seen_the_edition_is_empty_and_says_why(instance: Path) -> None:
    ok(instance, "preview")
    result = ok(instance, "preview", "--now", "2023-03-20T02:00Z", "--format", "text")
    assert "The edition is empty: no item has been seen yet" in result.stderr


def test_a_test_mail_goes_to_one_address_each_time_and_to_no_reader(instance: Path) -> None:
    ok(instance, "subscribers", "add", "anna@example.org")
    for _ in range(2):
        ok(instance, "preview", "--to", "editor@example.org")
    assert len(mails(instance)) == 2
    assert all(b"To: editor@example.org" in path.read_bytes() for path in mails(instance))


def test_sending_twice_mails_nobody_twice(instance: Path) -> None:
    for name in ("anna", "bek"):
        ok(instance, "subscribers", "add", f"{name}@example.org")
    first = ok(instance, "send", "kazakhstan")
    assert "built and approved" in first.stdout and "sent 2, deferred 0" in first.stdout
    second = ok(instance, "send", "kazakhstan")
    assert "approved before" in second.stdout and "Nothing sent twice: 2 readers" in second.stdout
    assert len(mails(instance)) == 2
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in mails(instance)[0].read_bytes()
    assert "shown as it was stored" in ok(instance, "preview").stdout


def test_a_weekly_edition_is_mailed_to_weekly_readers(instance: Path) -> None:
    for name in ("anna", "bek"):
        ok(instance, "subscribers", "add", f"{name}@example.org")
    with open_app(str(instance)) as app, app.engine.begin() as conn:
        assert set_preferences(conn, 1, Preferences(frequency=Frequency.WEEKLY), ())
    assert "no weekly edition of" in str(run(instance, "send", "kazakhstan", "--weekly").exception)
    with (instance / "config" / "newsletters" / "kazakhstan.toml").open("a", encoding="utf-8") as document:
        today = datetime.now(ZoneInfo("Asia/Almaty")).strftime("%a").lower()
        document.write(f'[weekly]\nday = "{today}"\nsend_time = "00:00"\ntagline = "The week in brief."\n')
    assert '"period": "weekly"' in ok(instance, "preview", "--weekly", "--format", "json").stdout
    ok(instance, "send", "kazakhstan")
    sent = ok(instance, "send", "kazakhstan", "--weekly")
    assert "built and approved" in sent.stdout and "sent 1, deferred 0" in sent.stdout
    assert "Nothing sent twice: 1 reader" in ok(instance, "send", "kazakhstan", "--weekly").stdout
    sent_to = [email.message_from_bytes(path.read_bytes())["To"] for path in mails(instance)]
    assert sorted(sent_to) == ["anna@example.org", "bek@example.org"]
    assert "/weekly" in ok(instance, "editions", "list").stdout


def test_a_preview_shows_any_variant(instance: Path) -> None:
    ok(instance, "preview")
    russian = ok(instance, "preview", "--variant", "in ru", "--format", "html").stdout
    assert '<html lang="ru"' in russian and HEADLINE in russian
    text = email.message_from_bytes(ok(instance, "preview", "--variant", "text", "--format", "eml").stdout.encode())
    assert text.get_content_type() == "text/plain" and HEADLINE in text.get_payload()
    hidden = ok(instance, "preview", "--variant", "without latest")
    assert OTHER not in hidden.stdout.partition("Not in the mail")[0] and "Variant: without latest" in hidden.stdout
    nothing = ok(instance, "preview", "--variant", "reading ky", "--format", "text")
    assert "This variant has no story" in nothing.stderr
    refused = run(instance, "preview", "--variant", "louder")
    assert refused.exit_code == 2 and "is no variant" in refused.stderr


def test_readers_of_an_hour_of_their_own_wait_for_it(instance: Path) -> None:
    ok(instance, "subscribers", "add", "anna@example.org")
    hour = (datetime.now(ZoneInfo("Asia/Almaty")) + timedelta(hours=2)).strftime("%H:%M")
    with open_app(str(instance)) as app, app.engine.begin() as conn:
        assert set_preferences(conn, 1, Preferences(hour=hour, format="text", language="kk"), ())
    assert "Variant: text in kk" in ok(instance, "preview", "--as", "anna@example.org").stdout
    sent = ok(instance, "send", "kazakhstan")
    assert "1 at an hour of the reader's own" in sent.stdout and not mails(instance)


def test_an_empty_edition_is_not_sent(instance: Path) -> None:
    ok(instance, "subscribers", "add", "anna@example.org")
    result = ok(instance, "send", "kazakhstan", "--now", "2023-03-20T02:00Z")
    assert "Not sent: the edition of 2023-03-20 is empty" in result.stdout
    assert not mails(instance)


def test_why_names_the_fate_and_the_parts_of_the_score(instance: Path) -> None:
    ok(instance, "preview")
    result = ok(instance, "why", "https://herald.example/1")
    assert HEADLINE in result.stdout and "chosen (lead)" in result.stdout
    for part in ("coverage", "volume", "velocity", "freshness", "topics", "region", "quality", "novelty", "total"):
        assert part in result.stdout
    assert "no poll has seen it" in str(run(instance, "why", "https://herald.example/none").exception)


@pytest.mark.parametrize(("arguments", "message"), [
    (("preview", "astana"), "known: kazakhstan"),
    (("preview", "--as", "nobody@example.org"), "no subscriber 'nobody@example.org'"),
    (("preview", "--to", "no address"), "cannot be used"),
])
def test_a_mistake_is_told(instance: Path, arguments: tuple[str, ...], message: str) -> None:
    assert message in str(run(instance, *arguments).exception)


@pytest.mark.parametrize("arguments", [("--now", "yesterday"), ("--date", "20.03.2023"), ("--format", "pdf")])
def test_an_option_that_cannot_be_read_is_refused(instance: Path, arguments: tuple[str, str]) -> None:
    assert run(instance, "preview", *arguments).exit_code == 2
