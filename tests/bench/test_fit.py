import json
from itertools import combinations

from bench.fit import START, fit, main
from tests.pipeline.stream import EVENTS


def test_a_fit_raises_what_helps():
    def figure(weights):
        points = {name: weight for name, weight, _ in weights.features}
        return points["titles"] - points["words"]

    points = fit([figure], rounds=1)
    assert points["titles"] > START > points["words"] > 0


def test_each_set_is_left_out_once(tmp_path, capsys):
    rows = [{"id": f"{event}{n}", "title": title, "source": source, "cluster": event, "summary": summary}
            for event, outlets in EVENTS.items() for n, (source, title, summary) in enumerate(outlets)]
    items, pairs = tmp_path / "items.jsonl", tmp_path / "pairs.tsv"
    items.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    pairs.write_text("first_id\tsecond_id\tlabel\n" + "\n".join(
        f"{one['id']}\t{other['id']}\t{'same' if one['cluster'] == other['cluster'] else 'diff'}"
        for one, other in combinations(rows, 2)), "utf-8")
    main([str(items), str(items), str(pairs), "--rounds", "1"])
    printed = capsys.readouterr().out.splitlines()
    assert [line.split(" left out ")[0].strip() for line in printed] == ["events", "events, 120 words", "day, pairs"]
    assert all("shipped F1 1.000" in line for line in printed)
