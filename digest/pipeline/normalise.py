"""Raw entries as items: plain text, absolute links, trusted dates.

What a document as a whole teaches (repeated boilerplate, stamps that all entries share, links that are not unique) is
read first, then entry by entry:
1. link: joined to the feed's address, tracking removed;
2. title: markup and the site's name out; the text's first words where there is none;
3. text: blocks; agency byline and dateline taken off its head into `agency` and `place`;
4. date: raw string → instant and quality against the clock;
5. language: the feed's own in the configuration, else what the document declares, else what the text says;
6. identity: guid, link or title (`digest.pipeline.identify`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from digest.model import Block, Feed, Item, short_id
from digest.pipeline import boilerplate, identify
from digest.pipeline.boilerplate import Boilerplate
from digest.pipeline.bylines import agency_named, closing_agency, split_dateline
from digest.pipeline.dates import ParsedDate, parse_date
from digest.pipeline.markup import first_image, shorten, to_blocks, to_line
from digest.pipeline.parse import Entry, ParsedFeed
from digest.pipeline.stamps import false_stamps, judged
from digest.text.languages import language_of

MAX_SUMMARY = 2_000  # characters of plain text
LEAD_LENGTH = 600  # characters of body that stand in for a missing summary
TITLE_FROM_TEXT = 80  # characters of text that stand in for a missing title
BODY_WORDS = 120  # a description of more words is a body too
REMEMBERED = 2_000  # dates
WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Context:
    """What a document teaches about each of its entries."""

    feed_title: str
    document_language: str | None
    known: Boilerplate
    false_stamps: frozenset[datetime]  # what a machine put on its entries
    titles: Mapping[str, str] = field(default_factory=dict)  # as text, by what the document gives
    blocks: Mapping[str, Sequence[Block]] = field(default_factory=dict)  # of the entries' texts, likewise

    def title_of(self, entry: Entry) -> str:
        found = self.titles.get(entry.title)
        return to_line(entry.title) if found is None else found

    def blocks_of(self, html: str) -> Sequence[Block]:
        found = self.blocks.get(html)
        return to_blocks(html) if found is None else found


def normalise_document(document: ParsedFeed, feed: Feed, *, now: datetime) -> list[Item]:
    """The items of a document in its order, first seen at `now`; of entries with one key the first dated one stays.

    Entries without title, text and link are left out too: there is nothing to show.
    """
    context = learn(document, feed, now=now)
    entries = [entry for entry in document.entries if entry.title or entry.summary or entry.content or entry.link]
    dates = [_date_of(entry) for entry in entries]
    links = [identify.absolute_url(_link(entry), feed.url) for entry in entries]
    days = [date.instant.date().isoformat() if date and date.instant not in context.false_stamps else ""
            for date in dates]
    items: dict[str, Item] = {}
    for entry, key in zip(entries, identify.keys(entries, links, days), strict=True):
        if key not in items or items[key].published_at is None:
            item = normalise(entry, feed, key, context, now=now)
            items[key] = item if item.published_at else items.get(key, item)
    return list(items.values())


def learn(document: ParsedFeed, feed: Feed, *, now: datetime) -> Context:
    """What the document repeats, and the stamp that all its entries share, if it is no date of theirs."""
    lines = {entry.title: to_line(entry.title) for entry in document.entries}
    blocks = {html: to_blocks(html) for html in {entry.summary or entry.content for entry in document.entries}}
    titles = [lines[entry.title] for entry in document.entries]
    summaries = [" ".join(block.text for block in blocks[entry.summary or entry.content][:3])
                 for entry in document.entries]
    known = boilerplate.learn(titles, summaries, (document.title, feed.source.name))
    stamps = false_stamps([_date_of(entry) for entry in document.entries], now)
    return Context(document.title, document.language, known, stamps, lines, blocks)


def normalise(entry: Entry, feed: Feed, key: str, context: Context, *, now: datetime) -> Item:
    """One entry as an item of `feed`, first seen at `now`. Pure: equal arguments give equal items."""
    url = identify.absolute_url(_link(entry), feed.url)
    raw_title = boilerplate.clean_title(context.title_of(entry), context.known)
    head = _text(entry.content or entry.summary, raw_title, feed, context)
    summary_text = _text(entry.summary, raw_title, feed, context) if entry.summary and entry.content else head
    body = head.blocks if _is_body(head.blocks, bool(entry.content)) else ()
    summary = _summary(summary_text.blocks, from_content=not entry.summary)
    title = raw_title or shorten(summary, TITLE_FROM_TEXT) or shorten(_of(head.blocks), TITLE_FROM_TEXT) or _link(entry)
    if summary.casefold() == raw_title.casefold():
        summary = ""  # some feeds repeat the title for want of a text
    agency = agency_named(to_line(entry.author)) or head.agency or summary_text.agency
    published, offset, quality = judged(_date_of(entry), context.false_stamps, now)
    return Item(
        id=short_id(feed.id, key), feed=feed, key=key, url=url, canonical_url=identify.canonical_url(url),
        title=title, summary=summary, body=body,
        agency=agency if agency and agency.casefold() != feed.source.name.casefold() else None,
        place=head.place or summary_text.place,
        language=feed.language or language_of(f"{title} {summary}", context.document_language, feed.languages),
        published_at=published, published_offset_minutes=offset, date_quality=quality, first_seen_at=now,
        image_url=identify.absolute_url(_image(entry), feed.url) or None,
        link=entry.link or url,
        tags=tuple(tag for term in entry.tags if (tag := to_line(term))),
    )


@dataclass(frozen=True, slots=True)
class _Text:
    blocks: tuple[Block, ...]
    place: str | None = None
    agency: str | None = None


def _text(html: str, title: str, feed: Feed, context: Context) -> _Text:
    """Blocks without title, byline, date line and dateline at their head and boilerplate at their ends."""
    blocks = list(_clean_blocks(context.blocks_of(html), title, context.known))
    agency = None
    while len(blocks) > 1 and (line := blocks[0].text) and len(line) <= 80:
        named = agency_named(line) if len(line) <= 40 else None
        if not named and line.casefold() != title.casefold() and not _is_date_line(line):
            break
        agency = agency or named
        blocks.pop(0)
    if not blocks or blocks[0].kind != "p":
        return _Text(tuple(blocks), None, agency)
    dateline = split_dateline(blocks[0].text)
    blocks[0] = Block("p", dateline.text)
    return _Text(tuple(blocks), dateline.place, agency or dateline.agency or closing_agency(blocks[-1].text))


def _clean_blocks(blocks: Iterable[Block], title: str, known: Boilerplate) -> Iterator[Block]:
    for block in blocks:
        text = boilerplate.clean_summary(block.text, title, known)
        if text and (text[0].isalnum() or WORD.search(text)):
            text = boilerplate.ends_cut(boilerplate.without_bullet(text))
            yield block if text == block.text else Block(block.kind, text)


def _is_date_line(line: str) -> bool:
    return len(line) <= 50 and bool(re.search(r"\d", line)) and parse_date(line) is not None


def _is_body(blocks: Sequence[Block], from_content: bool) -> bool:
    if len(blocks) > 1 and sum(block.kind == "p" for block in blocks) > 1:
        return True
    return sum(len(block.text.split()) for block in blocks) > (BODY_WORDS // 2 if from_content else BODY_WORDS)


def _summary(blocks: Sequence[Block], *, from_content: bool) -> str:
    """The paragraphs on one line, without subheads; of a body, only the first paragraphs."""
    if not from_content:
        return shorten(_of(blocks), MAX_SUMMARY)
    chosen: list[str] = []
    for block in blocks:
        if block.kind == "p":
            chosen.append(block.text)
        if sum(map(len, chosen)) >= LEAD_LENGTH:
            break
    return shorten(" ".join(chosen), MAX_SUMMARY)


def _of(blocks: Sequence[Block]) -> str:
    return " ".join(block.text for block in blocks if block.kind == "p")


def _link(entry: Entry) -> str:
    """The entry's link to the outlet, or its guid where that alone is an address."""
    return entry.origin or entry.link or (entry.guid if entry.guid.startswith(("http://", "https://")) else "")


def _image(entry: Entry) -> str:
    """The address of the entry's picture: the one that the feed names, else the first of its text."""
    return entry.image_url or first_image(entry.content) or first_image(entry.summary)


def _date_of(entry: Entry) -> ParsedDate | None:
    return _date(entry.published) or _date(entry.updated)


@lru_cache(REMEMBERED)
def _date(text: str) -> ParsedDate | None:
    """A date that is asked for several times while its document is read."""
    return parse_date(text) if text else None
