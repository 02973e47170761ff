"""Topics tried on the last days: which stories a query matches, and what a change would have done to the editions.

Stories are matched as editions match them: by the share of their items that the newsletter counts.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection

from digest.documents import Configuration, Newsletter, Topic
from digest.errors import ConfigError, NotFound
from digest.model import Item, Story
from digest.pipeline.pool import Candidate, is_counted
from digest.pipeline.topics import SMALLEST_CLAIM, TopicMatch, TopicMatcher, main_topic
from digest.query import parse_query
from digest.storage.stories import stories_as_of

TRIED = "tried"  # slug of a query that is no topic


@dataclass(frozen=True, slots=True)
class TopicUse:
    """How many stories of some days a topic counts for, and how many of them are mainly about it."""

    topic: Topic
    matched: int
    claimed: int


@dataclass(frozen=True, slots=True)
class MatchedStory:
    """A story that a query matches, in `matching` of the `of` items that the newsletter counts."""

    story: Story
    shown: Item  # the first of these items that matches
    matching: int
    of: int

    @property
    def claims(self) -> bool:
        """Whether it may stand in the topic's section."""
        return self.matching / self.of >= SMALLEST_CLAIM


@dataclass(frozen=True, slots=True)
class TopicTrial:
    """What a query matches of `stories` stories: those that it claims first, then by share, then the newest.

    `per_day` counts the claimed ones by UTC day on which they were first seen.
    """

    query: str
    stories: int
    matched: tuple[MatchedStory, ...]
    per_day: Mapping[date, int]

    @property
    def claimed(self) -> int:
        return sum(story.claims for story in self.matched)


def uses(conn: Connection, configuration: Configuration, newsletter: Newsletter, *, now: datetime,
         days: int) -> tuple[tuple[TopicUse, ...], int]:
    """Each topic with its hits of the last days, in the order of the document, and how many stories there were."""
    candidates = _candidates(conn, configuration, newsletter, now, days)
    matcher = TopicMatcher(newsletter.topics, configuration.names)
    matched, claimed = Counter[str](), Counter[str]()
    for candidate in candidates:
        matches = matcher.matches(candidate)
        matched.update(match.topic.slug for match in matches)
        if main := main_topic(matches):
            claimed[main.slug] += 1
    return tuple(TopicUse(t, matched[t.slug], claimed[t.slug]) for t in newsletter.topics), len(candidates)


def try_query(conn: Connection, configuration: Configuration, newsletter: Newsletter, query: str, *, now: datetime,
              days: int) -> TopicTrial:
    """The stories of the last days that a query matches. Raises QueryError."""
    parse_query(query, names=configuration.names)
    topic = Topic.model_construct(slug=TRIED, title=TRIED, query=query, weight=1.0, limit=1)
    matcher, alone = TopicMatcher((topic,), configuration.names), TopicMatcher((topic,), configuration.names)
    candidates = _candidates(conn, configuration, newsletter, now, days)
    found = [_matched(candidate, matches[0], alone) for candidate in candidates
             if (matches := matcher.matches(candidate))]
    found.sort(key=lambda one: (-one.matching / one.of, -one.story.items[0].first_seen_at.timestamp(), one.story.id))
    per_day = Counter(one.story.items[0].first_seen_at.astimezone(UTC).date() for one in found if one.claims)
    return TopicTrial(query, len(candidates), tuple(found), dict(sorted(per_day.items())))


def with_topic(newsletter: Newsletter, slug: str, changes: Mapping[str, Any]) -> Newsletter:
    """The newsletter with keys of a topic changed; a slug that is no topic is a new one, after the others.

    Raises ConfigError where a value is none that a topic can have, or where a new topic has no query.
    """
    known = next((topic for topic in newsletter.topics if topic.slug == slug), None)
    values = known.model_dump() if known else {"slug": slug, "title": slug.replace("-", " ").capitalize()}
    try:
        topic = Topic.model_validate({**values, **changes})
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"newsletters/{newsletter.slug}.toml", first["msg"].removeprefix("Value error, "),
                          key=".".join(("topics", slug, *map(str, first["loc"])))) from error
    topics = tuple(topic if one.slug == slug else one for one in newsletter.topics)
    return newsletter.model_copy(update={"topics": topics if known else (*topics, topic)})


def without_topic(newsletter: Newsletter, slug: str) -> Newsletter:
    """The newsletter without a topic. Raises NotFound, naming those there are."""
    topic = topic_of(newsletter, slug)
    return newsletter.model_copy(update={"topics": tuple(one for one in newsletter.topics if one is not topic)})


def topic_of(newsletter: Newsletter, slug: str) -> Topic:
    """A topic by its slug. Raises NotFound, naming those there are."""
    for topic in newsletter.topics:
        if topic.slug == slug:
            return topic
    raise NotFound("topic", slug, tuple(topic.slug for topic in newsletter.topics))


def _candidates(conn: Connection, configuration: Configuration, newsletter: Newsletter, now: datetime,
                days: int) -> list[Candidate]:
    """The stories of the last days with the items that the newsletter counts."""
    feeds = frozenset(feed.id for feed in configuration.feeds_of(newsletter))
    found = []
    for story in stories_as_of(conn, since=now - timedelta(days=days), at=now):
        counted = tuple(item for item in story.items
                        if item.feed.id in feeds and not item.backlog and is_counted(item, newsletter))
        if counted:
            found.append(Candidate(story, counted, counted, counted[0], True))
    return found


def _matched(candidate: Candidate, match: TopicMatch, alone: TopicMatcher) -> MatchedStory:
    """`alone` asks of single items: the first that matches is shown."""
    singles = (Candidate(candidate.story, (item,), (item,), item, True) for item in candidate.counted)
    shown = next(single.shown for single in singles if alone.matches(single))
    return MatchedStory(candidate.story, shown, match.matching, match.of)
