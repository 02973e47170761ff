"""Mistakes in TOML documents, with the line on which they stand."""

import tomllib

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from digest.errors import ConfigError


def toml_error(path: str, text: str, error: tomllib.TOMLDecodeError) -> ConfigError:
    """A TOML syntax error as ConfigError; the line is read from tomllib's message."""
    message, _, place = str(error).partition(" (at ")
    number = place.removeprefix("line ").split(",")[0]
    line = int(number) if number.isdigit() else max(1, len(text.splitlines()))
    return ConfigError(path, f"not valid TOML: {message}", line=line, hint="see https://toml.io")


def validation_error(path: str, text: str, error: ValidationError) -> ConfigError:
    """The first mistake that pydantic found, with its line in `text`."""
    return validation_errors(path, text, error)[0]


def validation_errors(path: str, text: str, error: ValidationError) -> list[ConfigError]:
    """All mistakes that pydantic found, each with its line in `text`."""
    return [_mistake(path, text, found) for found in error.errors(include_url=False)]


def _mistake(path: str, text: str, found: ErrorDetails) -> ConfigError:
    location = found["loc"]
    key = ".".join(str(part) for part in location) or None
    line = find_line(text, location)
    if found["type"] == "extra_forbidden":
        return ConfigError(path, "unknown key", line=line, key=key, hint="see the comments in the shipped files")
    if found["type"] == "missing":
        return ConfigError(path, "is missing", line=line, key=key, hint=f"add {location[-1]} = ...")
    message = str(found["msg"]).removeprefix("Value error, ")
    shown = found["input"] if isinstance(found["input"], str | int | float | bool) else None
    return ConfigError(path, message, line=line, key=key, hint="" if shown is None else f"got {shown!r}")


def find_line(text: str, location: tuple[str | int, ...]) -> int | None:
    """The line, counted from 1, on which the key at `location` stands in a TOML text; None if not found.

    Walks headers and keys in order: an array of tables `[[a]]` counts its occurrences.
    """
    header: list[str] = []
    counts: dict[str, int] = {}
    wanted = [str(part) for part in location]
    best: int | None = None
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if line.startswith("["):
            name = line.strip("[] \t").split("#")[0].strip("[] \t")
            header = _table_path(name, line.startswith("[["), counts)
            if wanted[: len(header)] == header or (best is None and header[: len(wanted)] == wanted):
                best = number
            continue
        key = line.partition("=")[0].strip().strip('"')
        path = [*header, *key.split(".")]
        if key and "=" in line and wanted[: len(path)] == path:
            return number + _element_offset(text.splitlines()[number - 1 :], wanted[len(path) :])
    return best


def _element_offset(lines: list[str], rest: list[str]) -> int:
    """How many lines below its key the element `rest[0]` of an array stands that has one element a line."""
    if not rest or not rest[0].isdigit() or not lines[0].rstrip().endswith("["):
        return 0
    elements = [offset for offset, line in enumerate(lines[1:], start=1) if line.strip()[:1] not in ("", "#", "]")]
    return elements[int(rest[0])] if int(rest[0]) < len(elements) else 0


def _table_path(name: str, is_array: bool, counts: dict[str, int]) -> list[str]:
    """The location of a table header, with the indexes of the arrays of tables that it lies in."""
    parts = [part.strip().strip('"') for part in name.split(".")]
    path: list[str] = []
    for depth, part in enumerate(parts):
        prefix = ".".join([*path, part])
        path.append(part)
        last = depth == len(parts) - 1
        if is_array and last:
            counts[prefix] = counts.get(prefix, -1) + 1
            path.append(str(counts[prefix]))
        elif prefix in counts:
            path.append(str(counts[prefix]))
    return path


def in_one_line(error: ValidationError) -> str:
    """All mistakes that pydantic found in values that stand in no file, each with its key."""
    found = [(".".join(map(str, one["loc"])), str(one["msg"]).removeprefix("Value error, "))
             for one in error.errors(include_url=False)]
    return "; ".join(f"{key}: {message}" if key else message for key, message in found)
