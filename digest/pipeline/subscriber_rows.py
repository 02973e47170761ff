"""Rows of a CSV file of subscribers, read and written. Pure.

The first row names the columns; other programs' names for them are known. A file of addresses alone needs no first
row. Cells that a spreadsheet would take for a formula are written after an apostrophe, which is dropped when read.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from digest.errors import ImportRefused

COLUMNS = ("email", "newsletter", "state", "consent", "since", "frequency", "paused_until", "hour", "zone", "language",
           "read", "hidden_sections", "format")
NAMES = {
    "e-mail": "email", "mail": "email", "email address": "email", "e-mail address": "email", "address": "email",
    "status": "state", "consent source": "consent", "source": "consent", "created": "since", "created_at": "since",
    "subscribed at": "since", "timezone": "zone", "time zone": "zone",
}
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what begins a formula in a spreadsheet


@dataclass(frozen=True, slots=True)
class Row:
    """One row, by names of COLUMNS. `number` is its line in the file, from 1; `fault` says why it cannot be read."""

    number: int
    values: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file, to be read once. `ignored` are columns that mean nothing here."""

    columns: tuple[str, ...]
    ignored: tuple[str, ...]
    rows: Iterator[Row]


def read_table(lines: Iterable[str]) -> Table:
    """The table of a CSV file with comma, semicolon or tab between cells. Raises ImportRefused where it has no
    addresses.

    Memory is that of one row. A row that cannot be read is a row with a fault.
    """
    source = iter(lines)
    first = next(source, "").removeprefix("\ufeff")
    delimiter = max(",;\t", key=first.count)
    cells = next(csv.reader([first], delimiter=delimiter), [])
    if any("@" in cell for cell in cells):
        if len(cells) > 1:
            raise ImportRefused("the first row names no columns", f"write a first row such as: {','.join(COLUMNS[:4])}")
        return Table(("email",), (), _rows(_joined(first, source), delimiter, ("email",), 0))
    names = tuple(NAMES.get(name, name) for name in (cell.strip().lower() for cell in cells))
    if "email" not in names:
        raise ImportRefused("no column is named email", f"found: {', '.join(cells) or 'nothing'}")
    if repeated := sorted({name for name in names if name in COLUMNS and names.count(name) > 1}):
        raise ImportRefused(f"two columns mean {repeated[0]}", "leave one of them out")
    ignored = tuple(name for name in names if name not in COLUMNS)
    return Table(names, ignored, _rows(source, delimiter, names, 1))


def decoded(lines: Iterable[bytes]) -> Iterator[str]:
    """The lines of a file as text; bytes that are not UTF-8 become surrogates, for which a row is refused. Raises
    ImportRefused where the file is UTF-16, as some spreadsheets save it.
    """
    for number, line in enumerate(lines):
        if number == 0 and line.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise ImportRefused("it is UTF-16", "save it as CSV in UTF-8")
        yield line.decode("utf-8", "surrogateescape")


def written(values: Mapping[str, str]) -> list[str]:
    """The cells of a row, in the order of COLUMNS."""
    return [_guarded(values.get(name, "")) for name in COLUMNS]


def _rows(lines: Iterator[str], delimiter: str, names: tuple[str, ...], before: int) -> Iterator[Row]:
    """Rows with the numbers of the lines on which they end; empty ones are left out."""
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(reader.line_num + before, fault=f"not readable as CSV: {error}")
            continue
        number = reader.line_num + before
        if not any(cell.strip() for cell in cells):
            continue
        yield _row(number, cells, names)


def _row(number: int, cells: list[str], names: tuple[str, ...]) -> Row:
    if len(cells) > len(names):
        return Row(number, fault=f"has {len(cells)} cells, but the first row names {len(names)}")
    values = {name: _unguarded(cell.strip()) for name, cell in zip(names, cells, strict=False) if name in COLUMNS}
    if any("\udc80" <= letter <= "\udcff" for value in values.values() for letter in value):
        return Row(number, fault="is not UTF-8: save the file as UTF-8")
    return Row(number, values)


def _joined(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _guarded(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _unguarded(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(FORMULA) else cell
