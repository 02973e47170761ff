import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from bench.match import main, reference_tokens

PEERS = 2 if find_spec("ahocorasick") else 1  # pyahocorasick is of requirements-bench.lock
TEXTS = [{"text": "Газ. Oil prices rise", "lang": "en"}, {"text": "Цены на газ и ещё нефть", "lang": "ru"},
         {"text": "An oil pipeline", "lang": "en"}]


def run(folder: Path, rules: list[str], *options: str) -> None:
    (folder / "texts.jsonl").write_text("".join(json.dumps(text) + "\n" for text in TEXTS))
    (folder / "rules.txt").write_text("\n".join(rules))
    main([str(folder / "texts.jsonl"), str(folder / "rules.txt"), *options])


def test_reference_tokens_know_no_apostrophes_and_no_stems() -> None:
    assert reference_tokens("Ещё Kazakhstan's ½_oil") == ["еще", "kazakhstan", "s", "1", "2", "oil"]


def test_exact_rules_are_compared_with_their_peers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, ["=oil", '="oil prices" OR =газ', "=газ AND =еще NOT =oil", "=prices NOT =oil"],
        "--pairs", str(tmp_path / "pairs"))
    printed = capsys.readouterr().out
    assert "index" in printed and "hits 5\n" in printed
    assert "the same hits" in printed and printed.count("hits 5, 5 of them the same") == PEERS
    assert (tmp_path / "pairs").read_text() == "0\t0\n0\t1\n1\t1\n1\t2\n2\t0\n"


def test_product_tokens_are_stems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, ["price", "цена", "pip* NEAR/3 oil"], "--product-tokens")
    printed = capsys.readouterr().out
    assert "hits 3\n" in printed and "the same hits" in printed
    assert printed.count("hits 3, 3 of them the same") == PEERS


def test_the_recorded_rules_hit_as_often_as_is_known(data_dir: Path, capsys: pytest.CaptureFixture[str],
                                                     tmp_path: Path) -> None:
    """Every twentieth of them; `make accept` runs all."""
    folder = data_dir / "matching"
    rules = (folder / "rules-10000-exact.txt").read_text(encoding="utf-8").splitlines()[::20]
    (tmp_path / "rules.txt").write_text("\n".join(rules), encoding="utf-8")
    main([str(folder / "docs-1000.jsonl"), str(tmp_path / "rules.txt")])
    lines = {line.split()[0]: line.split() for line in capsys.readouterr().out.splitlines()}
    assert lines["index"][-1] == lines["FTS5"][4].rstrip(",") == lines["FTS5"][5]
