"""HTML of feeds as plain text: blocks of paragraphs and subheads, and single lines."""

import re
from collections.abc import Iterator
from html import unescape

import nh3

from digest.model import Block

BREAKING = {"p", "div", "br", "blockquote", "section", "article", "tr", "table", "pre", "hr",
            "h1", "h2", "h3", "h4", "h5", "h6"}
DROPPED = {"script", "style", "figcaption", "noscript", "template", "iframe", "object", "form", "button", "select"}
CLEANER = nh3.Cleaner(tags=BREAKING, clean_content_tags=DROPPED, attributes={}, link_rel=None)
LOOKS_LIKE_MARKUP = re.compile(r"<[a-zA-Z/!][^<>]{0,2000}>")
# Attributes go first: the cleaner takes time quadratic in open tags that differ in them.
ATTRIBUTES = re.compile(r"""<([a-zA-Z][a-zA-Z0-9]{0,15})\s(?:[^<>"']|"[^"<]{0,2000}"|'[^'<]{0,2000}')*>""")
# So do deeply nested elements; a paragraph nests in nothing.
NESTING = re.compile(r"(?i)</?(?:div|section|article|main|center|ul|ol|li|dl|dd|dt|blockquote|table|tbody|tr|td)>")
# The cleaner writes one of these tags, without attributes, and escapes all else.
TAG = re.compile(r"<(/?)([a-z0-9]+) ?/?>")
EMPTY_LINE = re.compile(r"\n[ \t\r]*\n")
IMAGE = re.compile(r"<img\s([^<>]{1,4000})>")
ATTRIBUTE = re.compile(r"""([a-zA-Z]{3,10})\s{0,3}=\s{0,3}(?:"([^"<>]{1,4000})"|'([^'<>]{1,4000})')""")
SMALLEST = 50  # pixels of a picture's side; icons and counters have less
SPACE = re.compile(r"[\t\r\n\f\v\u00a0\u2000-\u200a\u202f\u205f\u3000]+")  # but for the blank itself
INVISIBLE = re.compile(r"[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\u00ad]")
STOP = ".!?…:;,»”\"'’)"
MAX_SUBHEAD = 70  # characters of a bare line that may be a subhead
WRAPPED = 50  # characters from which a line that stops nowhere goes on in the next
MIN_PARAGRAPH = 80  # characters of a paragraph that may follow one


def to_line(html: str) -> str:
    """The text of a title or name on one line: markup out, entities (escaped twice, too) resolved."""
    if "<" not in html and "&" not in html:
        return _squeeze(html)
    text = html
    for _ in range(2):
        if LOOKS_LIKE_MARKUP.search(text):
            text = TAG.sub(" ", _cleaned(text))
        unescaped = unescape(text)
        if unescaped == text:
            break
        text = unescaped
    return _squeeze(text)


def to_blocks(html: str) -> list[Block]:
    """The paragraphs and subheads of a text in HTML, or in plain lines.

    Headings are subheads ("h2"), and so is a bare short line without an end stop between two paragraphs.
    """
    is_markup = "<" in html and bool(LOOKS_LIKE_MARKUP.search(html))
    if "&lt;" in html and not is_markup:
        html = unescape(html)  # markup escaped once too often
        is_markup = bool(LOOKS_LIKE_MARKUP.search(html))
    pieces = _html_pieces(_cleaned(html)) if is_markup else _lines(html)
    return _with_bare_subheads([Block(kind, text) for kind, words in pieces if (text := _squeeze(words))])


def first_image(html: str) -> str:
    """The address of the first picture in a text, without those that only count readers; "" where there is none."""
    for tag in IMAGE.findall(html) if "<img" in html else ():
        values = {name.lower(): double or single for name, double, single in ATTRIBUTE.findall(tag)}
        sizes = [int(size) for name in ("width", "height") if (size := values.get(name, "")[:6]).isdecimal()]
        if values.get("src") and not values["src"].startswith("data:") and min(sizes, default=SMALLEST) >= SMALLEST:
            return unescape(values["src"].strip())
    return ""


def shorten(text: str, limit: int) -> str:
    """`text`, cut at a word boundary to at most `limit` characters, with an ellipsis where it was cut."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    if " " in cut[limit // 2 :]:
        cut = cut[: cut.rindex(" ")]
    return cut.rstrip(" ,;:–—-") + "…"


def _cleaned(html: str) -> str:
    parts = ATTRIBUTES.split(html)  # what stands between tags with attributes, and the names of these
    if len(parts) > 1:
        parts[1::2] = [f"<{name}>" for name in parts[1::2]]
        html = "".join(parts)
    return CLEANER.clean(NESTING.sub("<p>", html))


def _html_pieces(html: str) -> Iterator[tuple[str, str]]:
    """Kinds and texts between the tags of cleaned HTML. Two line breaks in a row end a paragraph, one does not."""
    if not TAG.search(html):
        yield from _lines(html)
        return
    if "<p>" in html or "<div>" in html or "<br>" in html:
        last = html.rindex(">")  # what follows the last tag keeps its lines
        html = _single_spaced(html[:last]) + html[last:]
    kind, text, position = "p", "", 0
    for found in TAG.finditer(html):
        text += html[position : found.start()]
        position = found.end()
        closing, name = found.groups()
        if name == "br":
            text += "\n"
            continue
        if text:
            yield from _lines(text) if kind == "p" else ((kind, unescape(text)),)
        kind, text = ("h2" if name[0] == "h" and name[1:].isdigit() and not closing else "p"), ""
    text += html[position:]
    yield from _lines(text) if kind == "p" else ((kind, unescape(text)),)


def _lines(text: str) -> Iterator[tuple[str, str]]:
    return (("p", line) for line in _plain_paragraphs(unescape(text)))


def _plain_paragraphs(text: str) -> list[str]:
    """Paragraphs of plain text: at empty lines, and at line ends where the lines are not merely wrapped."""
    paragraphs: list[str] = []
    text = text.strip()
    if "\n" not in text:
        return [text] if text else []
    for part in EMPTY_LINE.split(text):
        lines = [line.strip() for line in part.split("\n") if line.strip()]
        wrapped = any(len(line) > WRAPPED and line[-1] not in STOP for line in lines[:-1])
        paragraphs += [" ".join(lines)] if wrapped else lines
    return paragraphs


def _with_bare_subheads(blocks: list[Block]) -> list[Block]:
    found = list(blocks)
    for index in range(1, len(blocks) - 1):
        block, before, after = blocks[index], blocks[index - 1], blocks[index + 1]
        bare = block.kind == "p" and len(block.text) <= MAX_SUBHEAD and block.text[-1] not in STOP
        if bare and before.kind == after.kind == "p" and len(before.text) >= MIN_PARAGRAPH \
                and len(after.text) >= MIN_PARAGRAPH and len(block.text.split()) <= 9:
            found[index] = Block("h2", block.text)
    while found and found[-1].kind == "h2":
        found.pop()
    return found


def _single_spaced(text: str) -> str:
    for sign in "\n\t\r\u00a0":
        if sign in text:
            text = text.replace(sign, " ")
    if not text.isprintable():
        text = SPACE.sub(" ", text)
    while "  " in text:
        text = text.replace("  ", " ")
    return text


def _squeeze(text: str) -> str:
    if text.isprintable() and "  " not in text:
        return text.strip()
    if not text.isascii():
        text = INVISIBLE.sub("", text)
    return " ".join(text.split())
