import json

import pytest

from bench.agreement import Quality, adjusted_rand, b_cubed, judged, pairwise
from bench.cluster import cluster, main, read_items
from tests.pipeline.stream import EVENTS

LABELS = {"a": "1", "b": "1", "c": "2", "d": "2"}


@pytest.mark.parametrize(("stories", "expected"), [
    ({"a": "x", "b": "x", "c": "y", "d": "y"}, Quality(1.0, 1.0)),
    ({"a": "x", "b": "x", "c": "x", "d": "x"}, Quality(0.5, 1.0)),
    ({"a": "x", "b": "y", "c": "z", "d": "w"}, Quality(1.0, 0.5)),
])
def test_b_cubed_of_small_partitions(stories, expected):
    assert b_cubed(stories, LABELS) == expected


def test_pairwise_of_small_partitions():
    assert pairwise({"a": "x", "b": "x", "c": "x", "d": "y"}, LABELS) == Quality(1 / 3, 1 / 2)


def test_judged_pairs_count_once_each():
    pairs = [("a", "b", True), ("c", "d", True), ("a", "c", False), ("b", "c", False)]
    assert judged({"a": "x", "b": "x", "c": "x", "d": "y"}, pairs) == Quality(1 / 3, 1 / 2)


def test_the_adjusted_rand_index_is_one_for_equal_groups_and_nothing_for_one_group():
    assert adjusted_rand({"a": "x", "b": "x", "c": "y", "d": "y"}, LABELS) == 1.0
    assert adjusted_rand({"a": "x", "b": "x", "c": "x", "d": "x"}, LABELS) == 0.0


@pytest.fixture
def events(tmp_path):
    """A file of made-up events, as the bench reads them."""
    rows = [{"id": f"{event}{n}", "title": title, "source": source, "cluster": event, "summary": summary}
            for event, outlets in EVENTS.items() for n, (source, title, summary) in enumerate(outlets)]
    file = tmp_path / "items.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return file


def test_the_table_names_every_method_and_the_assignments_are_written(events, tmp_path, capsys):
    out = tmp_path / "out.jsonl"
    main([str(events), "--peers", "--assignments", str(out)])
    printed = capsys.readouterr().out
    assert "ARI       1.000" in printed
    for method in ("this clusterer", "normalised titles", "SimHash", "MinHash-LSH", "TF-IDF single pass"):
        assert method in printed
    written = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert len(written) == 12
    assert len({row["story"] for row in written}) == len(EVENTS)


def test_a_stream_is_timed_as_it_grows(events, capsys):
    main([str(events), "--scale", "300"])
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split()[:2] == ["300", "items"]
    assert printed[0].endswith("300 live")


def test_the_labelled_events_are_found_again(data_dir):
    items, labels = read_items(data_dir / "clustering" / "events-en-419.jsonl")
    assert b_cubed(cluster(items), labels).f1 >= 0.88


def test_the_command_prints_its_figures(data_dir, capsys):
    main([str(data_dir / "clustering" / "events-en-419.jsonl")])
    printed = capsys.readouterr().out
    assert printed.startswith("B-cubed   P 0.")
    assert "items/s" in printed
