"""Queries as they are typed: read, with a mistake shown under its place."""

import click

from digest.errors import QueryError
from digest.query import parse_query
from digest.query.tree import Query
from digest.text.names import Names

SHOWN = 72  # characters of a query round a mistake
BEFORE = 60  # of them before it


def read_query(text: str, names: Names) -> Query:
    """The tree of a query. Shows a mistake under its place, and raises QueryError."""
    try:
        return parse_query(text, names=names)
    except QueryError as error:
        line, column = _window(text, error.position)
        click.echo(f"  {line}\n  {' ' * column}^", err=True)
        raise


def _window(text: str, position: int) -> tuple[str, int]:
    """The part of a text round a position as one line, and the position in it."""
    start = max(0, position - BEFORE)
    line = "".join(character if character.isprintable() else " " for character in text[start:start + SHOWN])
    return line, min(position, len(text)) - start if position - start <= len(line) else len(line)
