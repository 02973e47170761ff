"""The text of an item's page: its paragraphs and subheads, or why there is none.

What a page must not be taken for the item's text: another page (the address leads to the front page by now), a question
for consent, a teaser before a paywall, a page that only a script would fill. Each is an outcome with a name.
"""

import codecs
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from digest.model import REPEATED, Block
from digest.pipeline.bylines import split_dateline
from digest.text.stems import stems

FEWEST_WORDS = 30  # a shorter text is a caption or a teaser
SHORT_WORDS = 80  # a page that asks for a script or shows a notice has no more
MOST_CHARACTERS = 20_000  # of a text; what follows is left out
MOST_BLOCKS = 200
MOST_ELEMENTS = 20_000  # of a page; news pages have a few thousand
FEWEST_OWN_WORDS = 0.34  # share of the title's words that the page of an item has
CONSENT_SHARE = 0.05  # words that notices of consent are made of, among all
OTHER_PAGES = 2  # pages of the same feed with a paragraph, from which a third one's is boilerplate
LOCKED = frozenset({"locked"})  # article:content_tier of Facebook's vocabulary
CONSENT = re.compile(
    r"(?i)\b(?:cookies?|consent\w*|gdpr|privacy|partners?|personali[sz]ed|preferences|accept|reject|"
    r"куки|согласи\w+|персональн\w+|конфиденциальност\w+|обработк\w+|принять|отклонить|"
    r"келісім\w*|дербес|құпиялылық\w*|rozilik\w*|maxfiylik\w*|einwilligung\w*|datenschutz\w*|consentement\w*)\b")
HTML = re.compile(rb"(?i)<(?:!doctype\s+html|html|head|body|article|div|p|meta|title)\b")
META_CHARSET = re.compile(rb"""(?i)<meta[^>]{0,300}?charset\s*=\s*["']?\s*([a-z0-9._:-]{1,40})""")
CHARSET = re.compile(r"""(?i)charset\s*=\s*["']?([a-z0-9._:-]{1,40})""")
NO_TEXT = re.compile("[\x00-\x08\x0e-\x1b\x7f\ud800-\udfff]")  # controls, and halves of characters
LINES = re.compile(r"\n{2,}")


@dataclass(frozen=True, slots=True)
class Article:
    """What a page gave. `blocks` is () unless `outcome` is TEXT; else it names what the page is."""

    outcome: str
    blocks: tuple[Block, ...] = ()
    place: str | None = None  # of the dateline, which is no part of the text


TEXT = "text"
CONSENT_PAGE, PAYWALL, SCRIPT_PAGE = "consent", "paywall", "script_page"
TOO_SHORT, TOO_LARGE, NOT_HTML, OTHER_PAGE = "too_short", "too_large", "not_html", "other_page"


def read_article(body: bytes, content_type: str | None, url: str, title: str, language: str) -> Article:
    """The text of the page `body` that came from `url` for an item of this title and language; never raises on purpose.

    Steps, the first that says what the page is ends them:
    1. decode; what is no HTML is `not_html`, what has more than twenty thousand elements `too_large`;
    2. a publisher that says itself (schema.org, article:content_tier) that the text is not free: `paywall`;
    3. trafilatura finds the main text; a longer `articleBody` of JSON-LD goes before it;
    4. a notice for consent, a page for scripts and less than thirty words are no text;
    5. a page that has too few words of the item's title is another one.
    """
    from trafilatura import load_html  # takes as long to load as all else

    kind = (content_type or "").partition(";")[0].strip().lower()
    if (kind and "html" not in kind) or not HTML.search(body[:20_000]):
        return Article(NOT_HTML)
    tree: Any = load_html(decoded(body, content_type))
    if tree is None:
        return Article(NOT_HTML)
    if sum(1 for _ in islice(tree.iter(), MOST_ELEMENTS + 1)) > MOST_ELEMENTS:
        return Article(TOO_LARGE)
    page = _Page(tree)
    if page.is_locked:
        return Article(PAYWALL)
    blocks = _longer(_stated(page.documents), _extracted(tree))
    if trouble := _trouble(page, blocks, url, title, language):
        return Article(trouble)
    head = split_dateline(blocks[0].text)
    return Article(TEXT, (Block(blocks[0].kind, head.text), *blocks[1:]), head.place)


def decoded(body: bytes, content_type: str | None) -> str:
    """The page as text: UTF-8 where it is, else as the server or the page says, else windows-1252."""
    found = [match.group(1) for match in (CHARSET.search(content_type or ""),) if match]
    found += [match.group(1).decode() for match in (META_CHARSET.search(body[:4096]),) if match]
    for charset in ("utf-8", *found):
        try:
            return body.decode(codecs.lookup(charset).name)
        except (UnicodeDecodeError, LookupError):
            continue
    return body.decode(next((name for name in found if _is_known(name)), "cp1252"), errors="replace")


def marked(blocks: Sequence[Block], earlier: Iterable[Collection[str]]) -> tuple[Block, ...]:
    """The blocks, REPEATED those that at least two earlier pages of the same feed have too, word for word."""
    counts: dict[str, int] = {}
    for texts in earlier:
        for text in frozenset(texts):
            counts[text] = counts.get(text, 0) + 1
    return tuple(block if counts.get(block.text, 0) < OTHER_PAGES else Block(REPEATED, block.text) for block in blocks)


def count_words(blocks: Iterable[Block]) -> int:
    """How many words the paragraphs have, between spaces."""
    return sum(len(block.text.split()) for block in blocks if block.kind == "p")


class _Page:
    """What a page says of itself, beside its text."""

    def __init__(self, tree: Any):
        self._tree = tree
        self.documents = tuple(_json_ld(tree))

    @property
    def is_locked(self) -> bool:
        tiers = self._tree.xpath("//meta[@property='article:content_tier' or @name='article:content_tier']/@content")
        closed = any(str(document.get("isAccessibleForFree", "")).lower() == "false" for document in self.documents)
        return closed or any(str(tier).strip().lower() in LOCKED for tier in tiers)

    @property
    def headings(self) -> str:
        """Its titles, for readers and for other sites."""
        found = self._tree.xpath("//title/text() | //meta[@property='og:title']/@content")
        return " ".join([*map(str, found), *(" ".join(e.itertext()) for e in self._tree.xpath("//h1"))])

    @property
    def asks_for_script(self) -> bool:
        """Whether its noscript says so, in whatever language, or nothing stands in it but scripts."""
        silent = " ".join(" ".join(element.itertext()) for element in self._tree.xpath("//noscript"))
        return "javascript" in silent.casefold() or (
            bool(self._tree.xpath("//script")) and len(self._visible().split()) < FEWEST_WORDS)

    def _visible(self) -> str:
        inside = "not(ancestor::script or ancestor::style or ancestor::noscript or ancestor::template)"
        return " ".join(map(str, self._tree.xpath(f"//body//text()[{inside}]")))


def _trouble(page: _Page, blocks: Sequence[Block], url: str, title: str, language: str) -> str | None:
    """Why the blocks are not the text of the item; None where they are."""
    text = " ".join(block.text for block in blocks)
    is_its_page = _has_words_of(title, f"{page.headings} {text}", language)
    if _is_notice(text, url) and not is_its_page:
        return CONSENT_PAGE
    words = count_words(blocks)
    if words < SHORT_WORDS and page.asks_for_script and not (is_its_page and words >= FEWEST_WORDS):
        return SCRIPT_PAGE
    if words < FEWEST_WORDS:
        return TOO_SHORT
    return None if is_its_page else OTHER_PAGE


def _is_notice(text: str, url: str) -> bool:
    """Whether a text is a question for consent: by its words, or because the address has led there."""
    if (urlsplit(url).hostname or "").startswith("consent."):
        return True
    words = text.split()
    return bool(words) and len(CONSENT.findall(text)) >= CONSENT_SHARE * len(words)


def _has_words_of(title: str, text: str, language: str) -> bool:
    wanted = {word for word in stems(title, language) if len(word) > 2}
    return len(wanted & {*stems(text, language)}) >= FEWEST_OWN_WORDS * len(wanted)


def _extracted(tree: Any) -> tuple[Block, ...]:
    """The main text by trafilatura, without the title above it and a list or heading left over below."""
    from trafilatura import bare_extraction

    document: Any = bare_extraction(tree, favor_precision=True, include_comments=False, include_tables=False)
    if document is None or document.body is None:
        return ()
    found: list[Block] = []
    end = 0
    for kind, text in _pieces(document.body):
        if kind == "p" or (found and kind in ("h2", "item")):
            found.append(Block("h2" if kind == "h2" else "p", text))
        end = len(found) if kind == "p" else end
    return _capped(found[:end])


def _pieces(body: Any) -> Iterator[tuple[str, str]]:
    """Paragraphs ("p"), subheads ("h2") and list items ("item") in order; two line breaks end a paragraph."""
    kinds = {"p": "p", "quote": "p", "head": "h2", "item": "item"}
    for element in body.iter(*kinds):
        if element.getparent().tag in ("p", "quote", "item"):
            continue  # its parent has its text
        for part in LINES.split(_text(element)):
            if words := _on_a_line(part):
                yield kinds[element.tag], words


def _text(element: Any) -> str:
    """The text inside, with a line feed for each break and spaces for all others."""
    parts = [" ".join((element.text or "").split()) + " " if (element.text or "")[-1:].isspace() else
             " ".join((element.text or "").split())]
    for child in element:
        parts.append("\n" if child.tag == "lb" else _text(child))
        tail = child.tail or ""
        parts.append(re.sub(r"\s+", " ", tail))
    return re.sub(r" ?\n ?", "\n", "".join(parts))


def _stated(documents: Iterable[Mapping[str, Any]]) -> tuple[Block, ...]:
    """The longest text that JSON-LD gives as `articleBody`."""
    texts = [text for document in documents if isinstance(text := document.get("articleBody"), str)]
    longest = max(texts, key=len, default="")
    if "<" in longest:
        return ()  # markup in a string: trafilatura has read what it shows
    return _capped([Block("p", line) for part in longest.split("\n") if (line := _on_a_line(part))])


def _on_a_line(text: str) -> str:
    """The text with single spaces, and without what no database takes."""
    return " ".join(NO_TEXT.sub("", text).split())


def _longer(stated: tuple[Block, ...], extracted: tuple[Block, ...]) -> tuple[Block, ...]:
    """The text that the page shows, unless what it states is half as long again: then most is shown by a script."""
    return stated if count_words(stated) > 1.5 * count_words(extracted) else extracted


def _capped(blocks: Iterable[Block]) -> tuple[Block, ...]:
    kept: list[Block] = []
    room = MOST_CHARACTERS
    for block in blocks:
        if len(block.text) > room or len(kept) >= MOST_BLOCKS:
            break
        kept.append(block)
        room -= len(block.text)
    return tuple(kept)


def _json_ld(tree: Any) -> Iterator[Mapping[str, Any]]:
    """The objects of the page's JSON-LD that are creative works, those in @graph too; what is no JSON is left out."""
    for script in tree.xpath("//script[@type='application/ld+json']/text()"):
        try:
            documents = json.loads(str(script), strict=False)
        except (ValueError, RecursionError):
            continue
        for document in documents if isinstance(documents, list) else [documents]:
            graph = document.get("@graph") if isinstance(document, dict) else None
            for entry in graph if isinstance(graph, list) else [document]:
                if isinstance(entry, dict):
                    yield entry


def _is_known(charset: str) -> bool:
    try:
        return bool(codecs.lookup(charset))
    except LookupError:
        return False
