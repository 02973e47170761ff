"""Forty rules over whole recorded archives: no rule tells a story twice unless a stated trigger fired."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from digest.pipeline import alert_policy

RULES = Path(__file__).resolve().parent.parent / "data" / "alerts" / "forty.toml"
ARCHIVES = ("en-2020-04-21_27", "ru-2025-11-03_09")
STATED = {alert_policy.ITEM, alert_policy.NAME, alert_policy.FIGURE, alert_policy.FAMILIES, alert_policy.LANGUAGE,
          alert_policy.FLAG}

pytestmark = pytest.mark.accept


@pytest.fixture(scope="module", params=ARCHIVES)
def told(request: pytest.FixtureRequest, data_dir: Path,
         tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The lines of alerts.jsonl."""
    folder = tmp_path_factory.mktemp(request.param)
    done = subprocess.run(
        [sys.executable, "-m", "digest", "--instance", str(folder), "replay",
         str(data_dir / "timeseries" / request.param), "--alerts", str(RULES), "--out", str(folder / "out")],
        capture_output=True, text=True, env={**os.environ, "COLUMNS": "160"})
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    lines = (folder / "out" / "alerts.jsonl").read_text(encoding="utf-8").splitlines()
    assert f"{len(lines)} alerts" in done.stdout
    return [json.loads(line) for line in lines]


def test_no_rule_tells_a_story_twice_unless_a_stated_trigger_fired(told: list[dict[str, Any]]) -> None:
    assert len(told) > 20
    by_pair: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for line in told:
        by_pair[line["rule"], line["story"]].append(line)
    begun: set[str] = set()  # rules that told something before
    for line in told:
        names = {why.split(":")[0] for why in line["why"]}
        is_first = line is by_pair[line["rule"], line["story"]][0]
        # A story that took in another which was told is told again only as one that developed.
        assert names == {alert_policy.FIRST} if is_first and line["rule"] not in begun else names, line
        assert names <= (STATED | {alert_policy.FIRST} if is_first else STATED), line
        begun.add(line["rule"])


def test_each_trigger_names_what_fired_it(told: list[dict[str, Any]]) -> None:
    for line in told:
        for why in line["why"]:
            name, _, detail = why.partition(": ")
            assert detail or name in (alert_policy.FIRST, alert_policy.FLAG), line


def test_a_rule_that_tells_a_story_once_told_it_once(told: list[dict[str, Any]]) -> None:
    once = {"court-sentence", "new-zealand", "social-distancing", "case-against", "economy-unemployment",
            "exact-masks", "bbc-virus", "white-house-body", "two-families"}
    pairs = [(line["rule"], line["story"]) for line in told if line["rule"] in once]
    assert pairs and len(pairs) == len(set(pairs))


def test_every_alert_marks_words_of_its_sentence_and_names_its_version(told: list[dict[str, Any]]) -> None:
    for line in told:
        assert line["version"] == 1 and line["sentence"]
        assert line["words"] or line["why"] != [alert_policy.FIRST]
