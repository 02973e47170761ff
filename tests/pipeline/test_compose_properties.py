"""What holds for an edition of any pool of stories: caps, one place a story, order by the inputs alone, one fate."""

import random
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from digest.documents import Caps
from digest.model import Item, Story
from digest.pipeline.arrange import arrange, country_of
from digest.pipeline.compose import compose
from digest.pipeline.pool import EditionInputs, Mailed, fill
from digest.pipeline.rank import rank
from digest.pipeline.topics import main_topic
from digest.pipeline.view import to_json
from tests.pipeline.worlds import GAZETTEER, HOUR, NOW, feed, inputs, item, newsletter, story

TOPICS = ({"slug": "energy", "title": "Energy", "query": "gas OR power", "limit": 2},
          {"slug": "money", "title": "Money", "query": 'bank AND NOT gas OR "oil price"', "weight": 2, "limit": 1},
          {"slug": "sport", "title": "Sport", "query": "football", "weight": -1},
          {"slug": "talk", "title": "Talk", "query": "talks", "limit": 0})
WORDS = ("gas", "power", "bank", "oil price", "football", "talks", "bread", "Almaty", "Tashkent", "Bishkek", "Ankara")
LIMITS = st.integers(0, 3)
CAPS = st.builds(Caps, source=LIMITS, family=LIMITS, topic=LIMITS, country=LIMITS)
FEEDS = [feed(f"paper-{n}", family=f"house-{n // 2}", region=region)
         for n, region in enumerate((*["Kazakhstan"] * 4, "Uzbekistan", "Uzbekistan", "Kyrgyzstan", "Central Asia"))]


@st.composite
def items(draw: st.DrawFn, key: str) -> Item:
    words = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3))
    return item(
        " ".join(words).capitalize(), draw(st.sampled_from(FEEDS)),
        hours=draw(st.one_of(st.none(), st.integers(0, 44))), seen=draw(st.integers(-2, 30)), key=key,
        language=draw(st.sampled_from(["en", "en", "en", "ru"])),
        backlog=draw(st.integers(0, 9)) == 0, url=draw(st.sampled_from(["", *["https://news.example/a"] * 9])),
        summary=draw(st.sampled_from(["", "Bread costs more in Almaty. Officials met."])))


@st.composite
def stories(draw: st.DrawFn, number: int) -> Story:
    told = [draw(items(f"{number}-{copy}")) for copy in range(draw(st.integers(1, 4)))]
    reprints = tuple(copy for copy in told[1:] if draw(st.integers(0, 3)) == 0)
    return story(*{copy.id: copy for copy in told}.values(), reprints=reprints)


@st.composite
def pools(draw: st.DrawFn) -> EditionInputs:
    told = [draw(stories(number)) for number in range(draw(st.integers(0, 14)))]
    mailed = {s.id: Mailed("2023-03-19", frozenset({"house-0"}), NOW - 24 * HOUR) for s in told
              if draw(st.integers(0, 5)) == 0}
    counts = {key: draw(LIMITS) for key in ("latest", "brief", "more")}
    return inputs(*told, mailed=mailed, newsletter=newsletter(
        topics=TOPICS, sections=counts, caps=draw(CAPS), unreadable=draw(st.sampled_from(["omit", "list"]))))


EXAMPLES = settings(max_examples=100, deadline=None)


@EXAMPLES
@given(pools())
def test_caps_hold(given_inputs: EditionInputs) -> None:
    arrangement = arrange(rank(fill(given_inputs), given_inputs), given_inputs)
    caps, home = given_inputs.newsletter.caps, given_inputs.newsletter.region
    mailed = [*([arrangement.lead] if arrangement.lead else []), *(s for _, told in arrangement.sections for s in told)]
    shown = [s.candidate.shown.feed.source for s in mailed]
    topics = (main_topic(s.topics) for s in mailed)
    for limit, found in (
        (caps.source, Counter(source.slug for source in shown)),
        (caps.family, Counter(source.family for source in shown)),
        (caps.topic, Counter(topic.slug for topic in topics if topic)),
        (caps.country, Counter(c for s in mailed if (c := country_of(s.region, home, GAZETTEER)))),
    ):
        assert not limit or not found or max(found.values()) <= limit
    assert all(len(told) <= section.limit for section, told in arrangement.sections)


@EXAMPLES
@given(pools())
def test_no_story_stands_twice_and_no_section_is_empty(given_inputs: EditionInputs) -> None:
    view = compose(given_inputs).view
    ids = [s.id for s in view.all_stories]
    assert len(ids) == len(set(ids))
    assert all(section.stories for section in view.sections)


@EXAMPLES
@given(pools(), st.randoms(use_true_random=False))
def test_the_order_is_a_function_of_the_inputs_alone(given_inputs: EditionInputs, chance: random.Random) -> None:
    shuffled = list(given_inputs.stories)
    chance.shuffle(shuffled)
    changes: dict[str, Any] = {name: getattr(given_inputs, name) for name in ("mailed", "newsletter")}
    composed, again = compose(given_inputs), compose(inputs(*shuffled, **changes))
    assert to_json(again.view) == to_json(composed.view)
    assert again.fates == composed.fates


@EXAMPLES
@given(pools())
def test_every_item_has_exactly_one_fate_and_it_is_the_one_that_the_view_shows(given_inputs: EditionInputs) -> None:
    composed = compose(given_inputs)
    every = [i.id for s in given_inputs.stories for i in s.items]
    assert sorted(composed.fates) == sorted(every)
    told: dict[str, Any] = {"lead": [composed.view.lead] if composed.view.lead else [], "rest": composed.view.rest}
    told |= {section.key: section.stories for section in composed.view.sections}
    for key, placed in told.items():
        for one in placed:
            assert {composed.fates[i.id].section for i in composed.ranked[one.id].candidate.open_items} == {key}
    chosen = {i.id for s in composed.view.mailed for i in composed.ranked[s.id].candidate.open_items}
    assert chosen == {id_ for id_, fate in composed.fates.items() if fate.gate == "chosen"}
