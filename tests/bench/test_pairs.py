import json

import pytest

from bench.agreement import Quality
from bench.pairs import best_threshold, hard_pairs, main, strict, verdicts

HEAD = "set\tlabel\ttfidf_score\ta_outlet\ta_title\ta_link\tb_outlet\tb_title\tb_link"
DAM, GATES, METRO = ("Karatal dam overflows, village evacuated", "Karatal dam overflows: village evacuated at night",
                     "Almaty metro to gain two stations")


@pytest.fixture
def stories(tmp_path):
    def story(name, *items):
        return json.dumps({"id": name, "items": [{"url": f"https://{s}/{t}", "source": s, "title": t}
                                                 for s, t in items]})

    path = tmp_path / "stories.jsonl"
    path.write_text("\n".join([story("1", ("post", DAM), ("wire", GATES)), story("2", ("post", METRO))]), "utf-8")
    return path


def row(label, score, one, other):
    return {"set": "x", "label": label, "tfidf_score": str(score), "a_outlet": one[0], "a_title": one[1], "a_link": "",
            "b_outlet": other[0], "b_title": other[1], "b_link": f"https://{other[0]}/{other[1]}"}


def test_a_related_pair_in_one_story_is_a_mistake_and_an_unseen_one_none(stories):
    rows = [row("same", 0.5, ("post", DAM), ("wire", GATES)), row("related", 0.4, ("wire", GATES), ("post", DAM)),
            row("same", 0.3, ("post", DAM), ("post", METRO)), row("same", 0.2, ("post", DAM), ("post", "Never seen"))]
    found = verdicts(stories, rows)
    assert [verdict.together for verdict in found] == [True, True, False, None]
    assert [verdict.wrong for verdict in found] == [False, True, True, False]
    assert strict(found) == Quality(1 / 2, 1 / 3)


def test_the_column_is_given_its_best_threshold():
    rows = [row("same", 0.5, "ab", "cd"), row("same", 0.4, "ab", "cd"), row("diff", 0.3, "ab", "cd")]
    assert best_threshold(rows) == (0.4, Quality(1.0, 1.0))


def test_hard_pairs_are_clustered_behind_the_stories(stories):
    rows = [{"label": "same", "a_title_en": DAM, "b_title_en": GATES, "why": ""},
            {"label": "diff", "a_title_en": DAM, "b_title_en": "Wrestler wins gold in Amman", "why": ""}]
    assert hard_pairs(stories, rows) == [True, False]


def test_the_command_prints_stories_beside_the_column(stories, tmp_path, capsys):
    pairs = tmp_path / "pairs.tsv"
    values = row("same", 0.5, ("post", DAM), ("wire", GATES))
    pairs.write_text(f"{HEAD}\n" + "\t".join(values[name] for name in HEAD.split("\t")) + "\n", "utf-8")
    main([str(stories), str(pairs), "--set", "x"])
    assert capsys.readouterr().out.splitlines() == [
        "1 pairs, unseen 0", "stories, strict         P 1.000  R 1.000  F1 1.000",
        "TF-IDF column ≥ 0.500   P 1.000  R 1.000  F1 1.000"]
