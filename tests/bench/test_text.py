"""Figures of stems and languages, on a small treebank and on the recorded one."""

from pathlib import Path

import pytest

from bench.text import STEMMERS, TREES, lemmas, main, pair_figures, samples

TREEBANK = ["# text = ...", "1\tҮйде\tүй\tNOUN", "2\tүйдің\tүй\tNOUN", "3\tүйрек\tүйрек\tNOUN", "4\t.\t.\tPUNCT", ""]


def test_pairs_are_right_where_two_forms_share_lemma_and_stem() -> None:
    forms = lemmas(TREEBANK)
    assert forms == {"үйде": {"үй"}, "үйдің": {"үй"}, "үйрек": {"үйрек"}}
    assert pair_figures(forms, STEMMERS["words as they are"]) == (0, 0, 0)
    assert pair_figures(forms, lambda word: word[:2]) == (1 / 3, 1, 1 / 2)
    assert pair_figures(forms, STEMMERS["digest.text.stems"]) == (1, 1, 1)


def test_kazakh_stems_join_the_forms_of_a_treebank(data_dir: Path) -> None:
    forms = lemmas((data_dir / "languages" / TREES).read_text(encoding="utf-8").splitlines())
    precision, recall, f1 = pair_figures(forms, STEMMERS["digest.text.stems"])
    assert precision > 0.85
    assert recall > 0.55
    assert f1 > 0.69
    others = [pair_figures(forms, stem)[2] for name, stem in STEMMERS.items() if name != "digest.text.stems"]
    assert f1 > max(others) + 0.15


def test_it_prints_its_figures(tmp_path: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / TREES).write_text("\n".join(TREEBANK), encoding="utf-8")
    (tmp_path / "lang_samples.tsv").write_text("ky\tӨкмөт башчысы Садыр Жапаров бүгүн Ош шаарында\n", encoding="utf-8")
    assert main([str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "digest.text.stems    P 1.000  R 1.000  F1 1.000" in printed
    assert "right 1/2" in printed
    assert len(samples(data_dir / "languages")) > 1000
