"""Score of a story: a sum of named parts, each with its reason in words; and the order of an edition's stories.

    coverage   w·log2(1 + Σ tier of each independent family, a reprint counting `weights.reprint`)
    velocity   w·log2(1 + families that told it in the last `velocity_hours`)
    freshness  −(hours since an independent source last told it) / `freshness_hours`
    topics     Σ weight·min(1, share of matching items / ½)
    region     w where a place of the newsletter's region stands in title or dateline, half in the summary
    quality    w·([full text or image] + tier of the shown copy's source − 1)
    novelty    −w for a story of an earlier edition, 0 where it is new or has developed
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import log2

from digest.documents import Weights
from digest.model import Item, Part, Score
from digest.pipeline.pool import NEW_SOURCES_OF_A_DEVELOPMENT, Candidate, EditionInputs, Pool, told_at
from digest.pipeline.region import Places
from digest.pipeline.topics import TopicMatch, TopicMatcher

NAMES_IN_WORDS = 4  # sources named in a reason before "and n more"
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its region, topics and score."""

    candidate: Candidate
    region: str
    topics: tuple[TopicMatch, ...]
    score: Score

    @property
    def id(self) -> str:
        return self.candidate.story.id


def rank(pool: Pool, inputs: EditionInputs, places: Places | None = None) -> tuple[Ranked, ...]:
    """The candidates, best first; equal scores in the order of story ids."""
    places = places or Places(inputs.gazetteer)
    topics = TopicMatcher(inputs.newsletter.topics)
    told: dict[int, Part] = {}  # by the identity of matches, of which many stories share one
    ranked = [_scored(c, topics.matches(c), inputs, places, told) for c in pool.candidates]
    return tuple(sorted(ranked, key=lambda r: (-round(r.score.total, 9), r.id)))


def _scored(
    candidate: Candidate, topics: tuple[TopicMatch, ...], inputs: EditionInputs, places: Places, told: dict[int, Part]
) -> Ranked:
    """The candidate with its region and the seven parts of its score."""
    if id(topics) not in told:
        told[id(topics)] = _topics(topics)
    weights = inputs.newsletter.weights
    parts = (
        _coverage(candidate, weights),
        _velocity(candidate, weights, inputs),
        _freshness(candidate, weights, inputs),
        told[id(topics)],
        _region(candidate.shown, weights, inputs, places),
        _quality(candidate.shown, weights),
        _novelty(candidate, weights),
    )
    region = places.story_region(candidate.counted, candidate.shown, inputs.newsletter.region)
    return Ranked(candidate, region, topics, Score(parts))


def _coverage(candidate: Candidate, weights: Weights) -> Part:
    worth = _family_worth(candidate, weights)
    names = [item.feed.source.name for item in candidate.own_items]
    reprinted = sum(1 for item in candidate.counted if item.id in candidate.story.reprints)
    why = f"{_count(len(candidate.families), 'independent source')}: {_listed(names)}"
    if reprinted:
        why += f"; {_count(reprinted, 'reprint')}"
    return Part("coverage", weights.coverage * log2(1 + sum(worth.values())), why)


def _family_worth(candidate: Candidate, weights: Weights) -> Mapping[str, float]:
    """What each family adds to coverage: its best copy, so that ten copies of one owner count once."""
    worth: dict[str, float] = {}
    for item in candidate.counted:
        source = item.feed.source
        factor = weights.reprint if item.id in candidate.story.reprints else 1.0
        worth[source.family] = max(worth.get(source.family, 0.0), source.tier * factor)
    return worth


def _velocity(candidate: Candidate, weights: Weights, inputs: EditionInputs) -> Part:
    start = inputs.cutoff - weights.velocity_hours * HOUR
    recent = {item.feed.source.family for item in candidate.own_items if told_at(item) > start}
    why = f"{_count(len(recent), 'source')} in the last {weights.velocity_hours:g} h"
    return Part("velocity", weights.velocity * log2(1 + len(recent)), why)


def _freshness(candidate: Candidate, weights: Weights, inputs: EditionInputs) -> Part:
    age = max(timedelta(0), inputs.cutoff - max(told_at(item) for item in candidate.own_items))
    hours = age / HOUR
    return Part("freshness", 0.0 - hours / weights.freshness_hours, f"last told {hours:.1f} h before the cut-off")


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
            return Part("region", weights.region * share, f"“{mention.name}” in the {where}")
    return Part("region", 0.0, f"no place of {region} in title, dateline or summary")


def _quality(item: Item, weights: Weights) -> Part:
    has = [name for name, value in (("full text", item.body), ("image", item.image_url)) if value]
    tier = item.feed.source.tier
    why = f"{' and '.join(has) or 'no full text, no image'}; tier {tier:g}"
    return Part("quality", weights.quality * (bool(has) + tier - 1.0), why)


def _novelty(candidate: Candidate, weights: Weights) -> Part:
    if candidate.mailed is None:
        return Part("novelty", 0.0, "not mailed before")
    new = len(candidate.new_families)
    why = f"mailed on {candidate.mailed.date}, {_count(new, 'new independent source')} since"
    return Part("novelty", 0.0 if new >= NEW_SOURCES_OF_A_DEVELOPMENT else -weights.novelty, why)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _listed(names: Iterable[str]) -> str:
    unique = list(dict.fromkeys(names))
    more = len(unique) - NAMES_IN_WORDS
    return ", ".join(unique[:NAMES_IN_WORDS]) + (f" and {more} more" if more > 0 else "")
