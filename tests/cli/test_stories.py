"""`digest stories`: what an editor reads of stories, and what a merge or a split does."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from bench.cluster import read_items
from digest.app import open_app
from digest.cli import main
from digest.cli.stories import stories
from digest.services.stories import StoryClusterer
from digest.storage.items import store
from digest.storage.schema import story_edits
from tests.pipeline.stream import EVENTS, news, told
from tests.storage.worlds import add_feed

NOW = datetime.now(UTC).replace(microsecond=0)
START = news("a", "b").first_seen_at
AGO = (NOW - START).total_seconds() / 3600 - 2  # hours that bring the stream to two hours ago
DAM, METRO = (sorted(told(name, hours=AGO), key=lambda item: (item.feed.id, item.key)) for name in ("dam", "metro"))
WIRE = news("echo", EVENTS["dam"][0][1], EVENTS["dam"][0][2], hours=AGO + 1, agency="Reuters")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance with two stories: the dam's has a reprint of a wire's copy. Tests that change it take a `desk`."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "config").mkdir()
    with open_app(str(folder)) as app:
        for items in (DAM + METRO, [WIRE]):
            with app.engine.begin() as conn:
                for item in items:
                    add_feed(conn, item.feed)
                    store(conn, item.feed, [item], item.first_seen_at)
            StoryClusterer(app.engine).tick(items[0].first_seen_at, "test")
    return folder


@pytest.fixture
def desk(shop: Path, tmp_path: Path) -> Path:
    """A copy of the shop, to be changed."""
    return Path(shutil.copytree(shop, tmp_path / "desk"))


def run(desk: Path, *arguments: str) -> Result:
    return CliRunner().invoke(stories, arguments, obj=str(desk))


def json_of(desk: Path, *arguments: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(run(desk, *arguments, "--json").output)
    return found


def lines(desk: Path, *arguments: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in run(desk, *arguments).output.splitlines()]


def test_stories_are_listed_newest_or_largest_first(shop: Path) -> None:
    newest = lines(shop, "list", "--json")
    assert [story["items"] for story in newest] == [5, 3]
    assert [story["items"] for story in lines(shop, "list", "--json", "--largest", "--limit", "1")] == [5]
    assert lines(shop, "list", "--json", "--day", "2020-01-01") == []
    assert "No stories of these days" in run(shop, "list", "--day", "2020-01-01").output
    shown = run(shop, "list").output
    assert newest[0]["id"] in shown
    assert "1 of 2 stories" in run(shop, "list", "--limit", "1").output


def test_a_story_says_who_told_it_first_and_whose_copies_it_has(shop: Path) -> None:
    found = json_of(shop, "show", DAM[0].id[:8])
    assert (found["id"], found["languages"], found["reprints"]) == (DAM[0].id, ["en"], 1)
    assert [item["id"] for item in found["items"] if item["reprint"]] == [WIRE.id]
    assert len(found["families"]) == len(DAM)
    shown = run(shop, "show", DAM[0].id).output
    assert f"First published by {found['first_publisher']}" in shown
    assert "5 items of 4 independent sources, 1 reprint, in en" in shown


def test_why_names_points_that_add_up_and_shared_words(shop: Path) -> None:
    joins = json_of(shop, "why", DAM[0].id)["joins"]
    assert [sum(join["features"].values()) for join in joins] == pytest.approx([join["score"] for join in joins])
    assert {"karatal", "dam"} <= {word for join in joins[1:] for word in join["shared"]}
    assert {join["reprint_of"] for join in joins} == {None, *(i.id for i in DAM if i.title == WIRE.title)}
    shown = run(shop, "why", DAM[0].id).output
    assert "founded the story" in shown
    assert f"joined {DAM[0].id} with " in shown


def test_a_merge_is_logged_and_undone_as_it_says(desk: Path) -> None:
    founders = sorted(json_of(desk, "show", item.id)["id"] for item in (DAM[0], METRO[0]))
    merged = run(desk, "merge", *founders, "--by", "ann")
    assert merged.exit_code == 0, merged.output
    assert len(json_of(desk, "show", founders[1])["items"]) == 8
    assert json_of(desk, "why", founders[0])["edits"][0]["author"] == "ann"
    assert "ann merged story" in run(desk, "why", founders[0]).output
    undo = merged.output.partition("Undo it: digest stories ")[2].split()
    undone = run(desk, *undo, "--by", "bob")
    assert "items of" in undone.output
    assert sorted(story["items"] for story in lines(desk, "list", "--json")) == [3, 5]
    assert "bob split" in run(desk, "show", founders[0]).output
    assert json_of(desk, "rebuild", "--dry-run")["equal"]


def test_a_split_is_undone_by_the_merge_that_it_names(desk: Path) -> None:
    done = run(desk, "split", DAM[0].id, DAM[2].id[:10], WIRE.id)
    story = done.output.split()[-1]
    assert {item["id"] for item in json_of(desk, "show", story)["items"]} == {DAM[2].id, WIRE.id}
    assert f"an editor moved it from {DAM[0].id}" in " ".join(run(desk, "why", story).output.split())
    run(desk, *done.output.partition("Undo it: digest stories ")[2].split())
    assert len(json_of(desk, "show", story)["items"]) == 5
    with open_app(str(desk)) as app, app.engine.begin() as conn:
        assert [row.kind for row in conn.execute(select(story_edits))] == ["split", "merge"]


@pytest.mark.parametrize(("arguments", "says"), [
    (("show", "zz"), "no story 'zz' (digest stories list shows them)"),
    (("show", ""), "no story ''"),
    (("merge", DAM[0].id, DAM[0].id), f"both are story {DAM[0].id}"),
    (("split", DAM[0].id, METRO[0].id), f"no item of the story '{METRO[0].id}'; known: "),
    (("split", DAM[0].id, *(item.id for item in (*DAM, WIRE))), "must leave items on both sides"),
], ids=["no hex", "nothing", "itself", "a stranger", "all"])
def test_what_cannot_be_is_refused_with_the_reason(shop: Path, arguments: tuple[str, ...], says: str,
                                                   capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--instance", str(shop), "stories", *arguments])
    assert says in capsys.readouterr().err


def test_an_ambiguous_id_is_refused_with_the_candidates(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    items = [news("crowd", f"Quite another thing number {n}", hours=AGO + 1) for n in range(40)]
    with open_app(str(desk)) as app:
        with app.engine.begin() as conn:
            add_feed(conn, items[0].feed)
            store(conn, items[0].feed, items, NOW)
        StoryClusterer(app.engine).tick(NOW, "test")
    ids = [story["id"] for story in lines(desk, "list", "--json", "--limit", "100")]
    first = next(digit for digit in "0123456789abcdef" if sum(id_.startswith(digit) for id_ in ids) > 1)
    with pytest.raises(SystemExit):
        main(["--instance", str(desk), "stories", "show", first])
    error = capsys.readouterr().err
    assert "stories begin so: say more" in error
    assert min(id_ for id_ in ids if id_.startswith(first)) in error


def test_an_export_is_read_by_the_bench(shop: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    assert run(shop, "export", "--out", str(path)).exit_code == 0
    items, labels = read_items(path)
    assert len(items) == 8
    assert labels[WIRE.id] == labels[DAM[0].id] == DAM[0].id


def test_a_rebuild_says_what_would_differ_and_writes_it(desk: Path) -> None:
    with open_app(str(desk)) as app, app.engine.begin() as conn:
        conn.exec_driver_sql(f"UPDATE story_items SET story_id = '{METRO[0].id}'")
    tried = json_of(desk, "rebuild", "--dry-run")
    assert (tried["items"], tried["stories"], tried["written"]) == (8, 2, False)
    assert len(tried["moved"]) == 5
    assert "5 items have another story" in " ".join(run(desk, "rebuild").output.split())
    assert "Every item has the story that it had" in run(desk, "rebuild").output
    assert len(json_of(desk, "show", DAM[0].id)["items"]) == 5


def test_the_window_of_a_list_is_of_days(shop: Path) -> None:
    assert NOW - timedelta(days=1) < DAM[0].first_seen_at
    assert lines(shop, "list", "--json", "--since", "1")
