"""Whole recorded archives through the real command: one edition a day, no lead twice unless developed."""

import json
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

ARCHIVES = {"en-2020-04-21_27": date(2020, 4, 21), "ru-2025-11-03_09": date(2025, 11, 3)}
DAYS = 7
NEW_FAMILIES = 2

pytestmark = pytest.mark.accept


@pytest.fixture(scope="module", params=ARCHIVES)
def replayed(
    request: pytest.FixtureRequest, data_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """The name of an archive and the folder with its replay, from an instance of its own."""
    name: str = request.param
    folder = tmp_path_factory.mktemp(name)
    done = subprocess.run(
        [sys.executable, "-m", "digest", "--instance", str(folder), "replay", str(data_dir / "timeseries" / name),
         "--out", str(folder / "out")], capture_output=True, text=True, env={**os.environ, "COLUMNS": "160"})
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return name, folder / "out"


def views(out: Path) -> list[dict[str, object]]:
    return [json.loads(path.read_text()) for path in sorted(out.glob("*/edition.json"))]


def test_there_is_one_edition_a_day_in_three_forms(replayed: tuple[str, Path]) -> None:
    name, out = replayed
    days = [(ARCHIVES[name] + timedelta(days=n)).isoformat() for n in range(DAYS)]
    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == days
    for day in days:
        assert {path.name for path in (out / day).iterdir()} == {"edition.html", "edition.txt", "edition.json"}


def test_no_story_leads_twice_unless_it_developed(replayed: tuple[str, Path]) -> None:
    led: dict[str, int] = {}
    aliases = _stories(replayed[1])
    for view in views(replayed[1]):
        lead = view["lead"]
        assert isinstance(lead, dict), view["empty_reason"]
        story = aliases[lead["id"]]
        if story in led:
            assert lead["developing"]
            novelty = next(part["why"] for part in lead["parts"] if part["name"] == "novelty")
            assert int(novelty.split(", ")[1].split()[0]) >= NEW_FAMILIES, novelty
        led[story] = lead["sources"]


def test_no_undated_item_leads(replayed: tuple[str, Path]) -> None:
    kinds = {view["lead"]["time_kind"] for view in views(replayed[1])}  # type: ignore[index]
    assert kinds <= {"published", "day"}


def test_each_item_is_in_one_story(replayed: tuple[str, Path]) -> None:
    stories = [json.loads(line) for line in (replayed[1] / "stories.jsonl").read_text().splitlines()]
    assert len({story["id"] for story in stories}) == len(stories)
    assert sum(len(story["items"]) for story in stories) > 0
    assert all(story["first_seen"] <= story["last_seen"] for story in stories)


def _stories(out: Path) -> dict[str, str]:
    """The final story id of each id that an edition showed, by the founding item's address."""
    founders = {}
    by_title: dict[str, str] = {}
    for line in (out / "stories.jsonl").read_text().splitlines():
        story = json.loads(line)
        founders[story["id"]] = story["id"]
        by_title.update({item["title"]: story["id"] for item in story["items"]})
    for view in views(out):
        lead = view["lead"]
        assert isinstance(lead, dict)
        founders.setdefault(lead["id"], by_title.get(lead["headline"], lead["id"]))
    return founders
