"""Alerts: which rules match which items, and the mail that says so. Pure: values in, values out.

One rule fires once for a story, with the first of its items that matches; a rule never fires on what was seen
before it was made, nor on a feed's backlog.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from digest.errors import QueryError
from digest.locale import translator
from digest.model import AlertRule, BodyPolicy, DateQuality, Item, Message, Story
from digest.pipeline.compose import shown_time
from digest.pipeline.render import Renderer, one_line
from digest.query import match, parse_query, prepare
from digest.query.match import MatchText, Span
from digest.query.quote import Piece, Quote, marked, quote
from digest.query.tree import Query

MAX_STORIES = 30  # of one mail; further ones are counted
MAX_NAMES = 3  # rule names in a subject


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that fires for a story because one of its items matches."""

    rule: AlertRule
    story_id: str
    item: Item
    quote: Quote


@dataclass(frozen=True, slots=True)
class QuoteView:
    """A sentence with its words marked, and the names of the rules that it made fire.

    `pieces` is empty where the sentence is the headline, whose words are marked there.
    """

    rules: tuple[str, ...]
    source: str  # whose sentence it is; "" where it is the source named with the headline
    language: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class AlertedStory:
    """A story of the mail, shown with the item that matched first; time as in `view.StoryView`."""

    id: str
    headline: str
    headline_pieces: tuple[Piece, ...]
    language: str
    url: str  # "" where the item has no link
    source: str
    time: str
    time_kind: str
    others: int  # further sources that tell the story
    quotes: tuple[QuoteView, ...]


@dataclass(frozen=True, slots=True)
class AlertView:
    """Every value that an alert mail shows."""

    subject: str
    preheader: str
    rules: tuple[str, ...]
    stories: tuple[AlertedStory, ...]
    more: int  # stories beyond those shown
    language: str  # of the interface
    site_name: str
    postal_address: str


def find_hits(rules: Sequence[AlertRule], items: Iterable[tuple[Item, str]],
              alerted: Collection[tuple[int, str]]) -> list[Hit]:
    """The rules that fire for items, given with the ids of their stories, in the order of the items.

    `alerted` holds (rule id, story id) of what has fired. A stored query that can no longer be read never fires.
    """
    queries = list(_readable(rules))
    done = set(alerted)
    hits: list[Hit] = []
    for item, story_id in items:
        waiting = [
            (rule, query) for rule, query in queries
            if (rule.id, story_id) not in done and not item.backlog and item.first_seen_at >= rule.created_at
        ]
        if not waiting:
            continue
        text = prepare(item)
        for rule, query in waiting:
            if (spans := match(query, text)) is not None:
                done.add((rule.id, story_id))
                hits.append(Hit(rule, story_id, item, quote_item(item, text, spans)))
    return hits


def quote_item(item: Item, text: MatchText, spans: Sequence[Span]) -> Quote:
    """The sentence of an item that matched; its title where the feed's texts may not be shown."""
    return quote(text, spans, title_only=item.feed.body is BodyPolicy.HEADLINE)


def compose(hits: Sequence[Hit], stories: Mapping[str, Story], *, zone: ZoneInfo, site_name: str,
            postal_address: str, language: str = "en") -> AlertView:
    """The mail of the hits of one reader: stories in order of their first hit, each with all its rules."""
    by_story: dict[str, list[Hit]] = {}
    for hit in hits:
        by_story.setdefault(hit.story_id, []).append(hit)
    names = tuple(dict.fromkeys(hit.rule.name for hit in hits))
    shown = tuple(_story(of_story, stories.get(story_id), zone) for story_id, of_story in by_story.items())
    first = shown[0]
    counted = translator(language).ngettext("{count} story", "{count} stories", len(shown)).format(count=len(shown))
    news = first.headline if len(shown) == 1 else counted
    return AlertView(
        subject=one_line(f"{_listed(names)}: {news}"),
        preheader=one_line("".join(piece.text for piece in first.quotes[0].pieces or first.headline_pieces)),
        rules=names, stories=shown[:MAX_STORIES], more=max(0, len(shown) - MAX_STORIES),
        language=language, site_name=site_name, postal_address=postal_address,
    )


def message(renderer: Renderer, view: AlertView, base: str) -> Message:
    """The mail, not yet addressed. `base` is the address that links to our own pages begin with."""
    return Message(
        subject=view.subject,
        html=renderer.mail_html("alerts/alert.html", language=view.language, view=view, base=base),
        text=renderer.render("alerts/alert.txt", language=view.language, view=view, base=base),
        headers={"Content-Language": view.language},
    )


def _readable(rules: Iterable[AlertRule]) -> Iterable[tuple[AlertRule, Query]]:
    for rule in rules:
        try:
            yield rule, parse_query(rule.query)
        except QueryError:
            continue


def _story(hits: Sequence[Hit], story: Story | None, zone: ZoneInfo) -> AlertedStory:
    item = hits[0].item
    sources = {other.feed.source.slug for other in story.items} if story else set()
    headline = one_line(item.title)
    words = [word for hit in hits if hit.quote.sentence == headline for word in hit.quote.words]
    return AlertedStory(
        id=story.id if story else hits[0].story_id, headline=headline, headline_pieces=marked(headline, words),
        language=item.language, url=item.url, source=item.feed.source.name,
        time=shown_time(item, zone), time_kind=_time_kind(item),
        others=len(sources - {item.feed.source.slug}), quotes=_quotes(hits, headline),
    )


def _quotes(hits: Sequence[Hit], headline: str) -> tuple[QuoteView, ...]:
    """One quote for each sentence of a source, with the rules and the words of all hits that share it."""
    shared: dict[tuple[str, str], list[Hit]] = {}
    for hit in hits:
        shared.setdefault((hit.item.feed.source.name, hit.quote.sentence), []).append(hit)
    headline_source = hits[0].item.feed.source.name
    return tuple(
        QuoteView(
            rules=tuple(dict.fromkeys(hit.rule.name for hit in sharing)),
            source="" if source == headline_source else source,
            language=sharing[0].item.language,
            pieces=() if sentence == headline else marked(sentence, [w for hit in sharing for w in hit.quote.words]),
        )
        for (source, sentence), sharing in shared.items()
    )


def _time_kind(item: Item) -> str:
    if item.published_at is None:
        return "seen"
    return "day" if item.date_quality is DateQuality.DATE_ONLY else "published"


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - MAX_NAMES
    return ", ".join(names[:MAX_NAMES]) + (f" and {rest} more" if rest > 0 else "")
