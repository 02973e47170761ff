"""A rendered page as a tree of elements: what checks of our own mails walk over.

Meant for well-formed HTML, as our templates and the inliner write it; not for pages from outside.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})


@dataclass(slots=True, eq=False)
class Element:
    """`own_text` is the text that stands directly in it, between its children."""

    tag: str
    attributes: dict[str, str]
    parent: "Element | None" = None
    children: list["Element"] = field(default_factory=list)
    own_text: str = ""
    pieces: list["str | Element"] = field(default_factory=list)  # text and children in their order
    classes: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.classes = frozenset(self.attributes.get("class", "").split())

    def walk(self) -> Iterator["Element"]:
        """The element and everything below it, in the order of the page."""
        yield self
        for child in self.children:
            yield from child.walk()

    def up(self) -> Iterator["Element"]:
        """The element and what it lies in, innermost first."""
        element: Element | None = self
        while element is not None:
            yield element
            element = element.parent

    def all(self, *tags: str) -> list["Element"]:
        return [element for element in self.walk() if element.tag in tags]

    def text(self) -> str:
        """All text below it as one line; nothing of style and script."""
        return " ".join("".join(self._texts()).split())

    def _texts(self) -> Iterator[str]:
        if self.tag in {"style", "script"}:
            return
        for piece in self.pieces:
            if isinstance(piece, str):
                yield piece
            else:
                yield from piece._texts()

    def place(self) -> str:
        """ "td.lead > h1: Governing bloc …": for messages."""
        names = [f"{e.tag}.{e.attributes['class'].split()[0]}" if e.classes else e.tag for e in self.up()][:2]
        text = self.text()
        words = f": {text[:40].rstrip()}{'…' if len(text) > 40 else ''}" if text else ""
        return " > ".join(reversed(names)) + words


def parse_elements(html: str) -> Element:
    """The tree of a page below an element "#page". Comments (and so Outlook's conditional parts) are left out."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    return builder.root


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = self._current = Element("#page", {})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, self._current)
        self._current.children.append(element)
        self._current.pieces.append(element)
        if tag not in VOID:
            self._current = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Closes the nearest open element of this name; a stray end tag closes nothing."""
        for element in self._current.up():
            if element.tag == tag and element.parent is not None:
                self._current = element.parent
                return

    def handle_data(self, data: str) -> None:
        self._current.own_text += data
        self._current.pieces.append(data)
