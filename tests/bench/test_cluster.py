import pytest

from bench.cluster import Quality, b_cubed, cluster, judged, main, pairwise, read_items

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


def test_the_labelled_events_are_found_again(data_dir):
    items, labels = read_items(data_dir / "clustering" / "events-en-419.jsonl")
    assert b_cubed(cluster(items), labels).f1 >= 0.87


def test_the_command_prints_its_figures(data_dir, capsys):
    main([str(data_dir / "clustering" / "events-en-419.jsonl")])
    printed = capsys.readouterr().out
    assert printed.startswith("B-cubed   P 0.")
    assert "items/s" in printed
