"""The mail of alerts: what fired, the sentence that matched, why now. Pure: values in, values out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from gettext import NullTranslations
from zoneinfo import ZoneInfo

from digest.alert_rules import Alert, AlertRule, Trigger
from digest.locale import translator
from digest.model import DateQuality, Item, Message, Story
from digest.pipeline import alert_policy as policy
from digest.pipeline import alert_timing as timing
from digest.pipeline.compose import shown_time
from digest.pipeline.render import Renderer, one_line
from digest.query.quote import Piece, marked

MAX_STORIES = 30  # of one mail; further ones are counted
MAX_NAMES = 3  # rule names in a subject


@dataclass(frozen=True, slots=True)
class Hit:
    """An alert with its rule and the item that made it fire."""

    rule: AlertRule
    alert: Alert
    item: Item

    @property
    def story_id(self) -> str:
        return self.alert.story_id


@dataclass(frozen=True, slots=True)
class QuoteView:
    """A sentence with its words marked, and the names and versions of the rules that it made fire.

    `pieces` is empty where the sentence is the headline, whose words are marked there.
    """

    rules: tuple[str, ...]
    source: str  # whose sentence it is; "" where it is the source named with the headline
    language: str
    pieces: tuple[Piece, ...]
    why: tuple[str, ...]  # why now, in words


@dataclass(frozen=True, slots=True)
class AlertedStory:
    """A story of the mail, shown with the item that matched first; times as in `view.StoryView`."""

    id: str
    alert_id: int  # the first of its alerts, which the links of the mail name
    headline: str
    headline_pieces: tuple[Piece, ...]
    language: str
    url: str  # "" where the item has no link
    source: str
    time: str
    time_kind: str
    first_seen: str  # when any outlet was first seen with it
    alerted: str  # when the alert was given
    held: str  # what kept it from being told at once, in words; "" for nothing
    families: int  # independent sources that tell it
    others: int  # further sources that tell the story
    quotes: tuple[QuoteView, ...]
    is_update: bool  # the reader was told of the story before


@dataclass(frozen=True, slots=True)
class AlertView:
    """Every value that an alert mail shows. Times are in the zone of the first rule."""

    subject: str
    preheader: str
    rules: tuple[str, ...]
    stories: tuple[AlertedStory, ...]
    more: int  # stories beyond those shown
    language: str  # of the interface
    site_name: str
    postal_address: str
    sent_at: str  # now
    parents: tuple[str, ...] = field(default=())  # Message-IDs of the first mails on these stories


def compose(hits: Sequence[Hit], stories: Mapping[str, Story], *, now: datetime, zone: str, site_name: str,
            postal_address: str, language: str = "en", parents: Mapping[str, str] | None = None) -> AlertView:
    """The mail of the alerts of one target: stories in order of their first alert, each with all its rules.

    `stories` is by the ids of the alerts; two of them may lead to one story. `zone` is the instance's, for rules that
    name none; `parents` holds the Message-ID of the first mail on each story that was told before, by the story's id.
    """
    by_story: dict[str, list[Hit]] = {}
    for hit in sorted(hits, key=lambda one: (one.alert.at, one.alert.id)):
        story = stories.get(hit.story_id)
        by_story.setdefault(story.id if story else hit.story_id, []).append(hit)
    names = tuple(dict.fromkeys(hit.rule.name for hit in hits))
    in_zone = ZoneInfo(hits[0].rule.spec.zone or zone)
    words, before = translator(language), parents or {}
    shown = tuple(_story(story_id, own, stories.get(own[0].story_id), in_zone, words, story_id in before)
                  for story_id, own in by_story.items())
    first = shown[0]
    counted = words.ngettext("{count} story", "{count} stories", len(shown)).format(count=len(shown))
    news = first.headline if len(shown) == 1 else counted
    if all(story.is_update for story in shown):
        news = words.gettext("Update: {news}").format(news=news)
    return AlertView(
        subject=one_line(f"{_listed(names)}: {news}"),
        preheader=one_line("".join(piece.text for piece in first.quotes[0].pieces or first.headline_pieces)),
        rules=names, stories=shown[:MAX_STORIES], more=max(0, len(shown) - MAX_STORIES), language=language,
        site_name=site_name, postal_address=postal_address, sent_at=_iso(now, in_zone),
        parents=tuple(before[story_id] for story_id in by_story if story_id in before))


def message(renderer: Renderer, view: AlertView, base: str) -> Message:
    """The mail, not yet addressed. `base` is the address that links to our own pages begin with.

    An update is an answer to the first mail on its story, so that mail programs show them together.
    """
    headers = {"Content-Language": view.language}
    if view.parents:
        threads = " ".join(f"<{parent}>" for parent in view.parents[:MAX_NAMES])
        headers |= {"In-Reply-To": threads, "References": threads}
    return Message(
        subject=view.subject,
        html=renderer.mail_html("alerts/alert.html", language=view.language, view=view, base=base),
        text=renderer.render("alerts/alert.txt", language=view.language, view=view, base=base),
        headers=headers,
    )


def why_in_words(trigger: Trigger, words: NullTranslations) -> str:
    """Why an alert was given, in the reader's language."""
    texts = {
        policy.FIRST: words.gettext("the first item of the story that matches"),
        policy.ITEM: words.gettext("another item of the story matches"),
        policy.NAME: words.gettext("a new name beside the words: {detail}"),
        policy.FIGURE: words.gettext("a new figure beside the words: {detail}"),
        policy.FAMILIES: words.gettext("more independent sources: {detail}"),
        policy.LANGUAGE: words.gettext("the first item in another language: {detail}"),
        policy.FLAG: words.gettext("the editors call it a developing story"),
    }
    if trigger.name == policy.FIRST and trigger.detail:
        return words.gettext("the story has come to be as the rule asks: {detail}").format(detail=trigger.detail)
    return texts[trigger.name].format(detail=trigger.detail) if trigger.name in texts else str(trigger)


def held_in_words(held_by: str, words: NullTranslations) -> str:
    """What kept an alert from being told at once; "" where that is only that the rule's mails come by the hour."""
    texts = {
        timing.QUIET: words.gettext("held in quiet hours"),
        timing.CEILING: words.gettext("held, as the rule had told as many as it may on one day"),
        timing.COOL_DOWN: words.gettext("held, as the rule had told something shortly before"),
    }
    return texts.get(held_by, "")


def _story(story_id: str, hits: Sequence[Hit], story: Story | None, zone: ZoneInfo, words: NullTranslations,
           is_update: bool) -> AlertedStory:
    item, items = hits[0].item, story.items if story else (hits[0].item,)
    sources = {other.feed.source.slug for other in items}
    headline = one_line(item.title)
    matched = [word for hit in hits if hit.alert.sentence == headline for word in hit.alert.words]
    return AlertedStory(
        id=story_id, alert_id=hits[0].alert.id, headline=headline, headline_pieces=marked(headline, matched),
        language=item.language, url=item.url, source=item.feed.source.name,
        time=shown_time(item, zone), time_kind=_time_kind(item), first_seen=_iso(items[0].first_seen_at, zone),
        alerted=_iso(hits[0].alert.at, zone), held=held_in_words(hits[0].alert.held_by, words),
        families=len(story.families) if story else 1, others=len(sources - {item.feed.source.slug}),
        quotes=_quotes(hits, headline, words), is_update=is_update)


def _quotes(hits: Sequence[Hit], headline: str, words: NullTranslations) -> tuple[QuoteView, ...]:
    """One quote for each sentence of a source, with the rules and the words of all hits that share it."""
    shared: dict[tuple[str, str], list[Hit]] = {}
    for hit in hits:
        shared.setdefault((hit.item.feed.source.name, hit.alert.sentence), []).append(hit)
    headline_source = hits[0].item.feed.source.name
    return tuple(
        QuoteView(
            rules=tuple(dict.fromkeys(f"{hit.rule.name} (v{hit.alert.version})" for hit in sharing)),
            source="" if source == headline_source else source,
            language=sharing[0].item.language,
            pieces=() if sentence == headline else marked(sentence, [w for hit in sharing for w in hit.alert.words]),
            why=tuple(dict.fromkeys(why_in_words(trigger, words) for hit in sharing for trigger in hit.alert.why)),
        )
        for (source, sentence), sharing in shared.items()
    )


def _time_kind(item: Item) -> str:
    if item.published_at is None:
        return "seen"
    return "day" if item.date_quality is DateQuality.DATE_ONLY else "published"


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - MAX_NAMES
    return ", ".join(names[:MAX_NAMES]) + (f" +{rest}" if rest > 0 else "")


def _iso(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(timespec="seconds")
