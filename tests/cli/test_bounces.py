"""`digest bounces`, as a command."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from digest.cli import cli
from digest.mail.verp import return_path
from digest.model import Message
from digest.services import bounces, deliveries
from digest.storage.engine import open_engine
from tests.services.test_returns import NOW, READER, report

TOML = '[mail]\nbounce_domain = "bounce.example.org"\n'
NEWSLETTER = 'name = "Steppe News"\nregion = "Steppe"\nregions = ["Steppe"]\n'


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    folder = tmp_path / "i" / "config" / "newsletters"
    folder.mkdir(parents=True)
    (folder / "steppe.toml").write_text(NEWSLETTER)
    (folder.parent / "digest.toml").write_text(TOML)
    return tmp_path / "i"


def digest(instance: Path, *arguments: str, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(cli, ["--instance", str(instance), "bounces", *arguments], input=stdin)


def path_of_a_mail(instance: Path) -> str:
    """The return path of a mail that was queued for the reader."""
    digest(instance, "test", "-")
    engine = open_engine(f"sqlite:///{instance / 'var' / 'digest.sqlite3'}")
    with engine.begin() as conn:
        deliveries.queue(conn, subject="edition:steppe/2026-03-20", channel="mail", target=READER,
                         message=Message("s", "h", "t"), unsubscribe="test", due_at=NOW, now=NOW)
        name = conn.exec_driver_sql("SELECT mail_id FROM deliveries").scalar_one()
    engine.dispose()
    return return_path(name, (instance / "var" / "secret.key").read_bytes(), "bounce.example.org")


def test_a_bounce_is_explained_and_nothing_is_changed(instance: Path, tmp_path: Path) -> None:
    path = path_of_a_mail(instance)
    mail = tmp_path / "bounce.eml"
    mail.write_bytes(report(to=path))
    said = digest(instance, "test", str(mail)).stdout
    assert f"{READER}: hard, user-unknown (5.1.1)" in said
    assert "the mailbox or its host does not exist" in said and "because of: 5.1.1" in said
    assert f"Of the mail to {READER}, proved by its return path (edition:steppe/2026-03-20)" in said
    assert "Would count 1 of the 1.5 points" in said
    assert digest(instance, "list").stdout == "Nothing came back.\n"


@pytest.mark.parametrize(("raw", "to", "said"), [
    (report(), None, "Would be stored and count for nobody."),
    (report(status="5.7.1"), None, "our problem, never the reader's"),
    (report(), "b+" + "a" * 40 + "@bounce.example.org", "forged, or of another instance"),
    (b"Subject: Dear editors\n\nHello", None, "Would do nothing."),
])
def test_what_counts_for_nobody_is_said(instance: Path, raw: bytes, to: str | None, said: str) -> None:
    result = digest(instance, "test", "-", *(("--to", to) if to else ()), stdin=raw)
    assert result.exit_code == 0 and said in result.stdout


def test_suppressions_are_added_listed_and_removed(instance: Path) -> None:
    assert digest(instance, "suppressions", "list").stderr == "No address is suppressed.\n"
    added = digest(instance, "suppressions", "add", "Aigul@Reader.example", "--note", "asked by telephone")
    assert added.stdout == "aigul@reader.example gets no more mail\n"
    assert digest(instance, "suppressions", "add", READER).stdout == "aigul@reader.example gets no mail already\n"
    listed = digest(instance, "suppressions", "list").stdout.strip().split("\t")
    assert (listed[0], listed[2], listed[3]) == (READER, "operator", "asked by telephone")
    assert digest(instance, "suppressions", "remove", READER).stdout == f"{READER} may have mail again\n"
    assert digest(instance, "suppressions", "remove", READER).stdout == f"{READER} is not suppressed\n"


def test_bounces_are_listed_for_people_and_for_programs(instance: Path) -> None:
    path_of_a_mail(instance)
    engine = open_engine(f"sqlite:///{instance / 'var' / 'digest.sqlite3'}")
    with engine.begin() as conn:
        bounces.note_refusal(conn, target=READER, subject="edition:steppe/2026-03-20", code=550, enhanced="5.1.1",
                             text="No such user [here]", now=NOW)
    engine.dispose()
    listed = digest(instance, "list", "--address", READER).stdout
    assert all(word in listed for word in ("hard", "5.1.1", "smtp"))
    [row] = digest(instance, "list", "--json").stdout.splitlines()
    assert json.loads(row)["reason"] == "user-unknown"
    assert digest(instance, "list", "--address", "other@reader.example").stdout == "Nothing came back.\n"


def test_reading_needs_a_mailbox(instance: Path) -> None:
    refused = digest(instance, "read")
    assert refused.exit_code == 1 and "imap.host" in refused.stderr
