"""`digest deliveries` over a real instance."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from digest.app import App, open_app
from digest.cli import cli
from digest.model import Message
from digest.services import deliveries, envelopes, leaving
from digest.services.ledger import LEASE
from digest.storage import claims

EDITION = "edition:steppe/2023-03-20"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """One delivery in each state: sent, failed, deferred, uncertain, being sent by a process that ended, queued."""
    with open_app(str(tmp_path)) as opened:
        now, message = datetime.now(UTC), Message("News", "<p>x</p>", "x")
        with opened.engine.begin() as conn:
            for name in ("sent", "failed", "deferred", "uncertain", "orphan", "queued"):
                deliveries.queue(conn, subject=EDITION, channel=envelopes.MAIL, target=f"{name}@example.org",
                                 message=message, unsubscribe=leaving.TEST, due_at=now, now=now)
            rows = claims.claim(conn, now=now, holder="dead", until=now + LEASE, limit=5, domain="x.net")
            ids = {row.target.partition("@")[0]: row.id for row in rows}
            claims.mark_sent(conn, [ids["sent"]], "dead", now)
            claims.mark_failed(conn, ids["failed"], "dead", "550 5.7.1 [we] are listed")
            claims.mark_deferred(conn, ids["deferred"], "dead", until=now + timedelta(hours=1), error="450 busy")
            claims.mark_uncertain(conn, ids["uncertain"], "dead", "no answer")
        yield opened


def run(app: App, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--instance", str(app.instance.root), "deliveries", *arguments])


def ids(app: App, *states: str) -> list[str]:
    options = [part for state in states for part in ("--state", state)]
    lines = run(app, "list", "--json", *options).stdout.splitlines()
    return [str(json.loads(line)["id"]) for line in lines]


def test_the_list_counts_all_and_shows_what_was_not_sent(app: App) -> None:
    printed = run(app, "list").stdout
    assert "[we]" in printed
    head, counts, *_ = printed.splitlines()
    assert head.split() == ["subject", "queued", "sending", "sent", "deferred", "failed", "uncertain"]
    assert counts.split() == [EDITION, "1", "1", "1", "1", "1", "1"]
    assert "sent@example" not in printed
    assert "No deliveries yet" in run(app, "list", "--subject", "edition:other").stdout


def test_the_list_is_narrowed_by_state_and_address(app: App) -> None:
    [row] = [json.loads(line) for line in run(app, "list", "--json", "--state", "uncertain").stdout.splitlines()]
    assert (row["target"], row["state"], row["last_error"]) == ("uncertain@example.org", "uncertain", "no answer")
    assert row["message_id"].endswith("@x.net")
    [row] = [json.loads(line) for line in run(app, "list", "--json", "--to", "sent@example.org").stdout.splitlines()]
    assert row["state"] == "sent"


def test_stuck_lists_what_needs_a_person_and_says_what_to_do(app: App) -> None:
    result = run(app, "stuck")
    assert result.exit_code == 1
    assert "uncertain@" in result.stdout and "orphan@" not in result.stdout  # its lease of a minute is not over
    assert "digest deliveries resolve ID... --arrived" in result.stdout
    [uncertain] = ids(app, "uncertain")
    assert "1 delivery called sent" in run(app, "resolve", uncertain, "--arrived").stdout
    assert run(app, "stuck").stdout == "Nothing is stuck.\n"


def test_what_arrived_is_called_sent_and_what_did_not_is_sent_again(app: App) -> None:
    [uncertain] = ids(app, "uncertain")
    assert run(app, "resolve", uncertain).exit_code == 2  # neither --arrived nor --again
    assert "sent again by the next run" in run(app, "resolve", uncertain, "--again", "--by", "anna").stdout
    row = json.loads(run(app, "list", "--json", "--to", "uncertain@example.org").stdout)
    assert (row["state"], row["attempts"], row["last_error"]) == ("deferred", 0, "anna: send it again")
    again = run(app, "resolve", uncertain, "--arrived").stdout
    assert again.startswith("0 deliveries") and f"Not uncertain, left as they are: {uncertain}" in again


def test_failed_and_deferred_ones_are_tried_again(app: App) -> None:
    assert run(app, "retry").exit_code == 2
    assert run(app, "retry", "--subject", EDITION).stdout == "2 deliveries tried again by the next run.\n"
    assert len(ids(app, "deferred")) == 2 and ids(app, "failed") == []
    [sent] = ids(app, "sent")
    assert "left as they are" in run(app, "retry", sent).stdout
    assert ids(app, "sent") == [sent]
