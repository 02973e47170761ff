"""What robots.txt lets us fetch (RFC 9309).

The standard library's parser knows neither `*` nor `$` in paths and takes the first rule that fits in place of the
longest, so that it would fetch what publishers meant to close.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

LONGEST_DELAY = 30.0  # seconds; a budget of a minute or so leaves no room for more
LINE = re.compile(r"\s*([A-Za-z-]+)\s*:\s*([^#]*)")


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules for one visitor. `paths` holds (path pattern, whether it is allowed); `delay` is in seconds."""

    paths: tuple[tuple[str, bool], ...] = ()
    delay: float = 0.0

    def allow(self, url: str) -> bool:
        """Whether the address may be fetched: the longest pattern that fits decides, the kinder of two (§2.2.2)."""
        parts = urlsplit(url)
        path = _normal((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
        fitting = [(len(pattern), allowed) for pattern, allowed in self.paths if _fits(pattern, path)]
        return max(fitting, default=(0, True))[1]


def rules_for(text: str, user_agent: str) -> Rules:
    """The rules of all groups that name us, else of all that name everybody.

    We are named by our product token, the part of `user_agent` before the first slash or space.
    """
    token = re.split(r"[/\s]", user_agent.strip(), maxsplit=1)[0].casefold()
    groups = list(_groups(text))
    own = [lines for agents, lines in groups if token in agents] or [lines for agents, lines in groups if "*" in agents]
    paths: list[tuple[str, bool]] = []
    delay = 0.0
    for name, value in (line for lines in own for line in lines):
        if name in ("allow", "disallow") and value:
            paths.append((_normal(value), name == "allow"))
        elif name == "crawl-delay" and re.fullmatch(r"\d{1,6}(\.\d{1,3})?", value):
            delay = min(LONGEST_DELAY, float(value))
    return Rules(tuple(paths), delay)


def _groups(text: str) -> Iterator[tuple[frozenset[str], Sequence[tuple[str, str]]]]:
    """Each group's user agents and lines, in order; lines before the first user agent belong to none."""
    agents: list[str] = []
    lines: list[tuple[str, str]] = []
    for line in text.removeprefix("\ufeff").splitlines():
        if not (found := LINE.match(line)):
            continue
        name, value = found.group(1).casefold(), found.group(2).strip()
        if name != "user-agent":
            if name in ("allow", "disallow", "crawl-delay"):  # others, as Sitemap, stand for themselves
                lines.append((name, value))
            continue
        if lines:
            yield frozenset(agents), lines
            agents, lines = [], []
        agents.append(value.casefold())
    yield frozenset(agents), lines


def _fits(pattern: str, path: str) -> bool:
    """Whether a pattern fits the beginning of a path; `*` stands for anything, `$` for the end. Takes linear time."""
    is_whole = pattern.endswith("$")
    first, *others = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    if is_whole and not others:
        return path == first
    position = len(first)
    last = others.pop() if is_whole else ""
    for part in others:
        found = path.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    return not is_whole or (path.endswith(last) and len(path) - len(last) >= position)


def _normal(path: str) -> str:
    """The path with its escapes written in one way."""
    return quote(unquote(path), safe="/*$?=&;:@!~,+'()%[]#")
