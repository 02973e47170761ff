import json

from bench.near_duplicates import main
from tests.pipeline.stream import EVENTS


def test_copies_are_found_and_different_events_are_not(tmp_path, capsys):
    rows = [{"id": f"{event}{n}", "title": title, "source": source, "cluster": event, "text": " ".join([text] * 3)}
            for event, outlets in EVENTS.items() for n, (source, title, text) in enumerate(outlets)]
    file = tmp_path / "items.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    main([str(file)])
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in printed if "recall" in line] == ["1.000"] * 4
    assert "0 taken for copies; " in printed[-1]
