"""digest editions: the commands of the desk, on an instance that has polled nothing but holds stories."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from digest.app import open_app
from digest.cli import cli
from digest.storage.editions import edition_of
from digest.storage.engine import read_only
from tests.services.test_editions import GRAIN, STRIKE, tell

HOUR = timedelta(hours=1)
BRIDGE = "New bridge over the Ili opens to lorries"


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Path]:
    """Four items of today; one reader; a desk that holds what nobody approved."""
    texts = {
        "newsletters/kazakhstan.toml": 'name = "Kazakhstan News"\nregion = "Kazakhstan"\nregions = ["Kazakhstan"]\n'
                                       '[desk]\nminutes = 30\non_timeout = "hold"\n',
        "sources/all.toml": "\n".join(
            f'[[sources]]\nslug = "{slug}"\nname = "{slug.title()}"\n[[sources.feeds]]\n'
            f'url = "https://{slug}.example/rss"\nregion = "Kazakhstan"\nlanguage = "en"'
            for slug in ("herald", "courier", "volna")),
    }
    for name, text in texts.items():
        path = tmp_path / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    now = datetime.now(UTC)
    with open_app(str(tmp_path)) as app:
        for source, title, hours in (("herald", STRIKE, 2), ("courier", f"{STRIKE}, union says", 1),
                                     ("volna", GRAIN, 3), ("herald", BRIDGE, 4)):
            tell(app.engine, app.configuration, source, title, now - hours * HOUR)
    ok(tmp_path, "subscribers", "add", "anna@example.org")
    yield tmp_path


def run(instance: Path, *arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(cli, ["--instance", str(instance), *arguments])


def ok(instance: Path, *arguments: str) -> str:
    result = run(instance, *arguments)
    assert result.exit_code == 0, f"{result.output}{result.exception!r}"
    return result.output


def desk(instance: Path, *arguments: str) -> str:
    return ok(instance, "editions", *arguments)


def ids(shown: str) -> dict[str, str]:
    """Headline → short id, as `show` prints them."""
    return {headline: m.group(1) for headline in (STRIKE, GRAIN, BRIDGE)
            if (m := re.search(rf"([0-9a-f]{{4,}}) +[+-][\d.]+ +{headline}", shown))}


def state(instance: Path) -> str:
    with open_app(str(instance)) as app, read_only(app.engine) as conn:
        edition = edition_of(conn, "kazakhstan", datetime.now(UTC).date())
    assert edition is not None
    return edition.state


def test_a_day_at_the_desk(instance: Path) -> None:
    assert "No editions yet" in desk(instance, "list")
    shown = desk(instance, "build", "kazakhstan")
    assert "Draft, built" in shown and "was built before" in desk(instance, "build", "kazakhstan")
    story = ids(shown)
    assert "lead" in desk(instance, "pin", "kazakhstan", story[GRAIN])
    assert "dropped" in desk(instance, "drop", "kazakhstan", story[BRIDGE], "--reason", "stale")
    assert f"Dropped: {story[BRIDGE]}" in desk(instance, "show", "kazakhstan")
    assert "taken" in desk(instance, "take", "kazakhstan", story[BRIDGE], "--section", "rest")
    assert "moved" in desk(instance, "move", "kazakhstan", story[BRIDGE], "latest", "--position", "1")
    copies = desk(instance, "show", "kazakhstan", story[STRIKE])
    assert "herald" in copies and "courier" in copies
    assert "Courier" in desk(instance, "copy", "kazakhstan", story[STRIKE], "courier")
    assert "Grain!" in desk(instance, "edit", "kazakhstan", story[GRAIN], "--headline", "Grain!")
    assert "We asked." in desk(instance, "note", "kazakhstan", story[GRAIN], "We asked.", "--by", "bek")
    assert "Undone: note" in desk(instance, "undo", "kazakhstan")
    assert "Nothing new" in desk(instance, "pending", "kazakhstan")
    told = desk(instance, "diff", "kazakhstan")
    assert all(word in told for word in ("lead", "copy", "headline")) and "note" not in told
    log = desk(instance, "show", "kazakhstan")
    assert "was: " + GRAIN in log and "bek" in log and "undone" in log


def test_an_approval_names_what_was_seen(instance: Path) -> None:
    shown = desk(instance, "build", "kazakhstan")
    sha = re.search(r"--sha ([0-9a-f]{12})", shown)
    assert sha is not None
    desk(instance, "note", "kazakhstan", ids(shown)[GRAIN], "We asked.")
    refused = run(instance, "editions", "approve", "kazakhstan", "--sha", sha.group(1))
    assert f"approval is for {sha.group(1)}, it is " in str(refused.exception)
    assert "Approved kazakhstan/" in desk(instance, "approve", "kazakhstan", "--by", "anna")
    assert "approved by anna before" in desk(instance, "approve", "kazakhstan", "--by", "bek")
    changed = desk(instance, "undo", "kazakhstan")
    assert "needs approval" in changed and state(instance) == "draft"


def test_a_held_draft_is_sent_when_somebody_approves_it_and_corrected_after(instance: Path) -> None:
    desk(instance, "build", "kazakhstan")
    held = ok(instance, "send", "kazakhstan")
    assert "is held: nobody approved it" in held and "digest editions show kazakhstan/" in held
    assert not list((instance / "var" / "outbox").glob("*.eml"))
    sent = ok(instance, "send", "kazakhstan", "--approve")
    assert "approved, 3 stories" in sent and "sent 1, deferred 0" in sent
    assert state(instance) == "sent"
    refused = run(instance, "editions", "undo", f"kazakhstan/{datetime.now(UTC).date()}")
    assert "is sent" in str(refused.exception)
    told = desk(instance, "correct", "kazakhstan", "--text", "It was Sunday.", "--mail")
    assert "queued 1, sent 1" in told
    assert len(list((instance / "var" / "outbox").glob("*.eml"))) == 2
    assert "sent" in desk(instance, "list")


def test_a_cancelled_edition_is_not_sent(instance: Path) -> None:
    desk(instance, "build", "kazakhstan")
    assert "Cancelled" in desk(instance, "cancel", "kazakhstan", "--reason", "a day of mourning")
    assert "is closed: cancelled: a day of mourning" in ok(instance, "send", "kazakhstan")
    assert "a day of mourning" in desk(instance, "list")


@pytest.mark.parametrize(("arguments", "message"), [
    (("show", "astana"), "known: kazakhstan"),
    (("show", "kazakhstan/yesterday"), "NEWSLETTER/YYYY-MM-DD"),
    (("pin", "kazakhstan", "ffff"), "no open edition"),
])
def test_a_mistake_is_told(instance: Path, arguments: tuple[str, ...], message: str) -> None:
    assert message in str(run(instance, "editions", *arguments).exception)
