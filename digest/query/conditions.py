"""Conditions of a query on the story: how many sources and families tell it, how fast it grows."""

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from digest.query.tree import And, Condition, Query, all_of

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, "=": operator.eq, ">=": operator.ge, ">": operator.gt,
}


@dataclass(frozen=True, slots=True)
class StoryFacts:
    """What conditions ask of a story.

    `rate` is how many times faster items join it than items of its kind usually do; who asks says what is usual.
    """

    sources: int  # outlets that tell it
    families: int  # independent owners among them
    rate: float = 0.0


def story_conditions(query: Query) -> tuple[Query, tuple[Condition, ...]]:
    """What is asked of an item, and what is asked of its story."""
    parts = query.parts if isinstance(query, And) else (query,)
    conditions = tuple(part for part in parts if isinstance(part, Condition))
    asked = [part for part in parts if not isinstance(part, Condition)]
    return (all_of(asked) if conditions and asked else query), conditions


def holds(conditions: Iterable[Condition], facts: StoryFacts) -> bool:
    """Whether a story meets all conditions; where there are none it does."""
    return all(_COMPARE[c.sign](getattr(facts, c.measure), c.number) for c in conditions)
