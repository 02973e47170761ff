"""CSV files of subscribers: as other programs and spreadsheets write them."""

import csv
import io
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import ImportRefused
from digest.pipeline.subscriber_rows import COLUMNS, Row, Table, decoded, read_table, written


def table(text: str) -> Table:
    return read_table(io.StringIO(text, newline=""))


def values(rows: Iterable[Row]) -> list[tuple[int, dict[str, str], str]]:
    return [(row.number, dict(row.values), row.fault) for row in rows]


@pytest.mark.parametrize("text", [
    "email,state\na@x.org,active\n\nb@x.org,left\n", "Email;Status\r\na@x.org;active\r\n;\r\nb@x.org;left\r\n",
    "E-mail address\tSTATE\na@x.org\tactive\n\t\nb@x.org\tleft",
    '\ufeff"email","state"\n"a@x.org"," active "\n,\nb@x.org,left\n',
])
def test_files_of_other_programs_are_read(text: str) -> None:
    found = table(text)
    assert found.columns == ("email", "state") and found.ignored == ()
    assert values(found.rows) == [(2, {"email": "a@x.org", "state": "active"}, ""),
                                  (4, {"email": "b@x.org", "state": "left"}, "")]


def test_addresses_alone_need_no_first_row() -> None:
    rows = values(table("a@x.org\nb@x.org\n").rows)
    assert rows == [(1, {"email": "a@x.org"}, ""), (2, {"email": "b@x.org"}, "")]


def test_other_columns_are_named_and_left_out() -> None:
    found = table("first name,email,shoe size\nAnna,a@x.org,38\n")
    assert found.ignored == ("first name", "shoe size")
    assert values(found.rows) == [(2, {"email": "a@x.org"}, "")]


@pytest.mark.parametrize(("text", "reason"), [
    ("", "no column is named email"), ("name,address book\n", "no column is named email"),
    ("a@x.org,active\n", "names no columns"), ("email,mail\n", "two columns mean email"),
    ("\x00\x01\x02", "no column")])
def test_what_is_no_such_file_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ImportRefused, match=reason):
        table(text)


def test_a_bad_row_stops_no_other() -> None:
    text = 'email\na@x.org\nb@x.org,more,than,named\n' + '"' + "x" * 200_000 + '"\nc@x.org\n'
    first, second, third, fourth = table(text).rows
    assert (first.fault, fourth.fault) == ("", "") and fourth.values == {"email": "c@x.org"}
    assert "has 4 cells" in second.fault and "not readable as CSV" in third.fault


def test_bytes_that_are_not_utf8_refuse_their_row_alone() -> None:
    lines = [b"email,consent\n", "a@x.org,Формуляр\n".encode("cp1251"), "b@x.org,Формуляр\n".encode()]
    bad, good = read_table(decoded(lines)).rows
    assert "not UTF-8" in bad.fault and good.values["consent"] == "Формуляр"
    with pytest.raises(ImportRefused, match="UTF-16"):
        list(decoded(["email\n".encode("utf-16")]))


@given(st.lists(st.dictionaries(st.sampled_from(COLUMNS[1:]), st.text(
    st.characters(blacklist_categories=("Cs",)), max_size=12).map(str.strip)), max_size=5))
def test_what_is_written_is_read_again(rows: list[dict[str, str]]) -> None:
    """But for cells that begin with an apostrophe before a formula, of which there are none in practice."""
    rows = [{"email": "a@x.org", **{k: v for k, v in row.items() if not v.startswith("'")}} for row in rows]
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    writer.writerows(written(row) for row in rows)
    found = [{k: v for k, v in row.values.items() if v} for row in table(stream.getvalue()).rows]
    assert found == [{k: v for k, v in row.items() if v} for row in rows]


@pytest.mark.parametrize("cell", ["=cmd|' /C calc'!A0", "+1", "-1", "@sum(1)"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert written({"consent": cell})[COLUMNS.index("consent")] == f"'{cell}"
