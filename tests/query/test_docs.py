"""The examples of docs/queries.md are queries."""

import re
from pathlib import Path

import pytest

from digest.errors import QueryError
from digest.query import explain, lint_query, parse_query

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "queries.md").read_text(encoding="utf-8")
EXAMPLES = [code for row in re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE) for code in re.findall("`([^`]+)`", row)]
CONDITIONS = PAGE[PAGE.index("## Conditions"):PAGE.index("## What")]
IN_PROSE = [code for code in re.findall("`([^`]+)`", CONDITIONS) if " " in code]


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 30
    assert "gas sources>=3" in IN_PROSE


@pytest.mark.parametrize("text", [*EXAMPLES, *IN_PROSE])
def test_an_example_is_read_and_explained_without_doubt(text: str) -> None:
    query = parse_query(text, names=None)
    assert parse_query(str(query), names=None) == query
    assert explain(query).startswith("must ")
    assert [warning for warning in lint_query(query) if warning.kind != "name"] == []


@pytest.mark.parametrize("text", ["NOT sport", "gas OR -sport", "site:kun.uz", "gas near/5 oil", "gas and not oil"])
def test_what_is_said_to_be_refused_is(text: str) -> None:
    with pytest.raises(QueryError):
        parse_query(text)
