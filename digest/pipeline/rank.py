"""Score of a story: a sum of named parts, each with its reason in words; and the order of an edition's stories.

    coverage   w·log2(1 + Σ tier of each independent family, a reprint counting `weights.reprint`)
    volume     w·log2(1 + its tellings, of each family at most TELLINGS_OF_A_FAMILY)
    velocity   w·log2(1 + families that told it in the last `velocity_hours`)
    freshness  −(hours since it was last told) / `freshness_hours`
    topics     Σ weight·min(1, share of matching items / ½)
    region     w where a place of the newsletter's region stands in title or dateline, half in the summary
    quality    w·([full text or image] + tier of the shown copy's source − 1)
    novelty    −w for a story of an earlier edition, 0 where it is new or has developed

A reprint adds little to coverage, for it confirms nothing, yet shows that the story is still told: volume, velocity and
freshness count it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import log2

from digest.documents import Weights
from digest.model import Item, Part, Score, Source
from digest.pipeline.pool import NEW_SOURCES_OF_A_DEVELOPMENT, Candidate, EditionInputs, Pool, told_at
from digest.pipeline.region import Places
from digest.pipeline.topics import TopicMatch, TopicMatcher

NAMES_IN_WORDS = 4  # sources named in a reason before "and n more"
HOUR = timedelta(hours=1)
TELLINGS_OF_A_FAMILY = 2  # more of one owner add nothing: a live page of twenty entries is no twenty tellings
LONG_AGO = datetime.min.replace(tzinfo=UTC)
NEW = Part("novelty", 0.0, "not mailed before")


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its region, topics and score. `id` is its story's."""

    id: str
    candidate: Candidate
    region: str
    topics: tuple[TopicMatch, ...]
    score: Score


def rank(pool: Pool, inputs: EditionInputs, places: Places | None = None) -> tuple[Ranked, ...]:
    """The candidates, best first; equal scores in the order of story ids."""
    places = places or Places(inputs.gazetteer)
    topics = TopicMatcher(inputs.newsletter.topics, inputs.names)
    told: dict[int, Part] = {}  # by the identity of matches, of which many stories share one
    ranked = [_scored(c, topics.matches(c), inputs, places, told) for c in pool.candidates]
    return tuple(sorted(ranked, key=lambda r: (-round(r.score.total, 9), r.id)))


def _scored(
    candidate: Candidate, topics: tuple[TopicMatch, ...], inputs: EditionInputs, places: Places, told: dict[int, Part]
) -> Ranked:
    """The candidate with its region and the eight parts of its score."""
    if id(topics) not in told:
        told[id(topics)] = _topics(topics)
    weights, shown = inputs.newsletter.weights, candidate.shown
    parts = (
        _coverage(candidate, weights),
        _volume(candidate, weights.volume),
        *_velocity_and_freshness(candidate, weights, inputs),
        told[id(topics)],
        _region(shown, weights, inputs, places),
        _quality(bool(shown.body), bool(shown.image_url), shown.feed.source.tier, weights.quality),
        _novelty(candidate, weights),
    )
    region = places.story_region(candidate.counted, shown, inputs.newsletter.region)
    return Ranked(candidate.story.id, candidate, region, topics, Score(parts))


def _coverage(candidate: Candidate, weights: Weights) -> Part:
    reprints = candidate.story.reprints
    told = tuple([(item.feed.source, item.id in reprints) for item in candidate.counted])
    return _coverage_by(told, weights.coverage, weights.reprint)


@lru_cache(maxsize=10_000)
def _coverage_by(told: Sequence[tuple[Source, bool]], weight: float, of_a_reprint: float) -> Part:
    """What a story is worth for these sources' items, of which some are reprints. Many stories share one.

    A family adds its best copy, so that ten copies of one owner count once.
    """
    worth: dict[str, float] = {}
    for source, is_reprint in told:
        factor = of_a_reprint if is_reprint else 1.0
        worth[source.family] = max(worth.get(source.family, 0.0), source.tier * factor)
    own = [source for source, is_reprint in told if not is_reprint] or [source for source, _ in told]
    reprinted = sum(is_reprint for _, is_reprint in told)
    why = f"{_count(len({s.family for s in own}), 'independent source')}: {_listed(s.name for s in own)}"
    if reprinted:
        why += f"; {_count(reprinted, 'reprint')}"
    return Part("coverage", weight * log2(1 + sum(worth.values())), why)


def _volume(candidate: Candidate, weight: float) -> Part:
    of_families: dict[str, int] = {}
    for item in candidate.counted:
        family = item.feed.source.family
        of_families[family] = min(TELLINGS_OF_A_FAMILY, of_families.get(family, 0) + 1)
    return _volume_of(sum(of_families.values()), weight)


@lru_cache(maxsize=1000)
def _volume_of(tellings: int, weight: float) -> Part:
    return Part("volume", weight * log2(1 + tellings), f"{_count(tellings, 'telling')}, up to two of each owner")


def _velocity_and_freshness(candidate: Candidate, weights: Weights, inputs: EditionInputs) -> tuple[Part, Part]:
    start = inputs.cutoff - weights.velocity_hours * HOUR
    recent: set[str] = set()
    newest = LONG_AGO
    for item in candidate.counted:
        at = told_at(item)
        newest = max(newest, at)
        if at > start:
            recent.add(item.feed.source.family)
    hours = max(0.0, (inputs.cutoff - newest) / HOUR)
    return (_velocity(len(recent), weights.velocity_hours, weights.velocity),
            Part("freshness", 0.0 - hours / weights.freshness_hours, f"last told {hours:.1f} h before the cut-off"))


@lru_cache(maxsize=1000)
def _velocity(recent: int, hours: float, weight: float) -> Part:
    return Part("velocity", weight * log2(1 + recent), f"{_count(recent, 'source')} in the last {hours:g} h")


def _topics(topics: Sequence[TopicMatch]) -> Part:
    if not topics:
        return Part("topics", 0.0, "no topic matches")
    told = (f"{m.topic.title} {m.points:+.2f} ({m.matching} of {_count(m.of, 'item')})" for m in topics)
    return Part("topics", sum(m.points for m in topics), ", ".join(told))


def _region(item: Item, weights: Weights, inputs: EditionInputs, places: Places) -> Part:
    region = inputs.newsletter.region
    for text, share, where in ((item.title, 1.0, "title"), (item.place or "", 1.0, "dateline"),
                               (item.summary, 0.5, "summary")):
        if text and (mention := places.first_inside(text, item.language, region)):
            return _named(mention.name, where, weights.region * share)
    return _unnamed(region)


@lru_cache(maxsize=10_000)
def _named(place: str, where: str, value: float) -> Part:
    return Part("region", value, f"“{place}” in the {where}")


@lru_cache(maxsize=1000)
def _unnamed(region: str) -> Part:
    return Part("region", 0.0, f"no place of {region} in title, dateline or summary")


@lru_cache(maxsize=1000)
def _quality(has_text: bool, has_image: bool, tier: float, weight: float) -> Part:
    has = [name for name, value in (("full text", has_text), ("image", has_image)) if value]
    why = f"{' and '.join(has) or 'no full text, no image'}; tier {tier:g}"
    return Part("quality", weight * (bool(has) + tier - 1.0), why)


def _novelty(candidate: Candidate, weights: Weights) -> Part:
    if candidate.mailed is None:
        return NEW
    new = len(candidate.new_families)
    why = f"mailed on {candidate.mailed.date}, {_count(new, 'new independent source')} since"
    return Part("novelty", 0.0 if new >= NEW_SOURCES_OF_A_DEVELOPMENT else -weights.novelty, why)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _listed(names: Iterable[str]) -> str:
    unique = list(dict.fromkeys(names))
    more = len(unique) - NAMES_IN_WORDS
    return ", ".join(unique[:NAMES_IN_WORDS]) + (f" and {more} more" if more > 0 else "")
