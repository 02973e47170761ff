"""Mutated documents never raise and never pass their limits."""

from itertools import islice
from pathlib import Path

import pytest

from bench.fuzz import main, mutations, read_documents


def test_mutations_are_the_same_for_a_seed(data_dir: Path) -> None:
    documents = read_documents(data_dir / "feeds")[:5]
    assert list(islice(mutations(documents, 7), 20)) == list(islice(mutations(documents, 7), 20))
    assert list(islice(mutations(documents, 7), 20)) != list(islice(mutations(documents, 8), 20))


def test_three_hundred_mutations_are_read_or_refused(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(data_dir / "feeds"), "--mutations", "300", "--seed", "300"]) == 0
    assert "exceptions 0" in capsys.readouterr().out
