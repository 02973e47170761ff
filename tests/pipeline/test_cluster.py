from collections.abc import Iterable
from dataclasses import replace
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.model import Block, Item, Join
from digest.pipeline.cluster import Clusterer
from digest.pipeline.cluster_document import batches, document
from digest.pipeline.cluster_features import FEATURES, size
from digest.pipeline.cluster_index import Cluster, LiveIndex, Pair
from tests.pipeline.stream import EVENTS, START, news, told


def joins_and_stories(items: Iterable[Item], clusterer: Clusterer | None = None) -> tuple[list[Join], dict[str, str]]:
    """All joins, and each item's story with merges followed."""
    clusterer = clusterer or Clusterer()
    joins: list[Join] = []
    aliases: dict[str, str] = {}
    for batch in batches(items):
        assignment = clusterer.assign(batch, batch[0].first_seen_at)
        joins += assignment.joins
        aliases.update((merge.alias, merge.story_id) for merge in assignment.merges)
    stories = {}
    for join in joins:
        story = join.story_id
        while story in aliases:
            story = aliases[story]
        stories[join.item_id] = story
    return joins, stories


def groups(items: Iterable[Item]) -> set[frozenset[str]]:
    """The titles that stand together."""
    items = list(items)
    _, stories = joins_and_stories(items)
    return {frozenset(i.title for i in items if stories[i.id] == story) for story in set(stories.values())}


def everything() -> list[Item]:
    return list(chain.from_iterable(told(event) for event in EVENTS))


def test_every_event_told_in_other_words_is_one_story_and_no_story_mixes_two():
    expected = {frozenset(title for _, title, _ in outlets) for outlets in EVENTS.values()}
    assert groups(everything()) == expected


def test_copies_that_come_hours_apart_join_the_same_story():
    dam = told("dam")
    later = [replace(item, first_seen_at=news("x", "y", hours=6 * n).first_seen_at) for n, item in enumerate(dam)]
    _, stories = joins_and_stories([*later, *told("metro"), *told("wrestling", hours=3)])
    assert {stories[item.id] for item in later} == {dam[0].id}


def test_a_story_is_named_after_its_founding_item():
    items = told("dam")
    joins, _ = joins_and_stories(items)
    founder = joins[0]
    assert (founder.story_id, founder.score, dict(founder.features)) == (founder.item_id, 0.0, {})
    assert {join.story_id for join in joins} == {founder.item_id}


def test_the_features_of_a_join_sum_to_its_score():
    joins, _ = joins_and_stories(everything())
    late = [join for join in joins if join.features]
    assert late
    for join in late:
        assert set(join.features) == {"bias", *(name for name, _, _ in FEATURES)}
        assert sum(join.features.values()) == join.score >= 0


def test_the_order_of_arrival_inside_a_poll_does_not_matter():
    items = everything()
    _, expected = joins_and_stories(items)
    _, stories = joins_and_stories(reversed(items))
    assert stories == expected


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(12)))
def test_no_permutation_of_a_poll_changes_a_join(order):
    items = everything()
    assert joins_and_stories(items[i] for i in order) == joins_and_stories(items)


@pytest.mark.parametrize(("one", "other"), [
    ("Fire destroys warehouse in Shymkent", "Fire destroys warehouse in Pavlodar"),
    ("Tenge exchange rate for 2 March", "Tenge exchange rate for 3 March"),
    ("Weather forecast for Astana: rain and wind", "Weather forecast for Aktau: rain and wind"),
])
def test_a_source_that_fills_a_template_tells_two_stories(one, other):
    items = [news("steppe-post", one), news("steppe-post", other, hours=1)]
    assert groups(items) == {frozenset({one}), frozenset({other})}


def test_a_source_joins_its_own_story_only_where_it_repeats_it():
    source, title, summary = EVENTS["dam"][0]
    first = news(source, title, summary)
    update = news(source, "UPDATED: " + title, summary + " No one was hurt.", hours=2)
    _, stories = joins_and_stories([first, update])
    assert stories[update.id] == first.id


def test_the_same_title_from_the_same_source_is_the_same_story():
    first = news("steppe-post", "Border crossing at Korday closed", key="1")
    again = news("steppe-post", "Border crossing at Korday closed", key="2", hours=4)
    _, stories = joins_and_stories([first, again])
    assert stories[again.id] == first.id


def test_a_reprint_names_the_item_whose_text_it_repeats():
    _, title, summary = EVENTS["dam"][0]
    original = news("steppe-post", title, summary)
    reprint = news("copy-desk", "Dam news from the steppe", summary + " Reported by Steppe Post.", hours=1)
    reworded = told("dam", hours=2)[1]
    joins, _ = joins_and_stories([original, reprint, reworded])
    assert [join.reprint_of for join in joins] == [None, original.id, None]


def test_a_headline_alone_is_no_reprint():
    joins, stories = joins_and_stories([
        news("steppe-post", "Karatal dam overflows", "Meltwater ran over the Karatal dam on Monday, flooding fields."),
        news("river-news", "Karatal dam overflows", hours=1)])
    assert len(set(stories.values())) == 1
    assert joins[1].reprint_of is None


def test_an_undated_item_joins_like_any_other():
    items = told("dam")
    undated = replace(items[2], published_at=None)
    _, stories = joins_and_stories([items[0], items[1], undated])
    assert len(set(stories.values())) == 1


def test_a_full_text_is_compared_in_place_of_a_summary():
    _, _, summary = EVENTS["dam"][1]
    headline = news("capital-wire", "Evacuation ordered", body=(Block("p", summary),))
    other = told("dam")[0]
    _, stories = joins_and_stories([other, headline, *told("metro")])
    assert stories[headline.id] == stories[other.id]


def test_items_without_words_stand_alone():
    items = [news("a", "!!!"), news("b", "..."), news("c", "The and of")]
    _, stories = joins_and_stories(items)
    assert stories == {item.id: item.id for item in items}


def test_stories_that_turn_out_to_be_one_are_merged_into_the_older():
    first = [news("a", "Karatal dam spillway opened", "Engineers opened the spillway of the Karatal dam on Monday."),
             news("b", "Villagers told to leave homes", "People in two valley villages were told to leave on Monday.")]
    clusterer = Clusterer()
    clusterer.assign(first, START)
    bridge = [news(source, title, summary, hours=1) for source, title, summary in EVENTS["dam"][1:]]
    joins, stories = joins_and_stories(bridge, clusterer)
    assert {stories[join.item_id] for join in joins} <= {item.id for item in first}


def test_a_restored_clusterer_decides_as_the_one_that_ran_on():
    early, late = [*told("dam")[:2], *told("metro")[:1]], [*told("dam", hours=5)[2:], *told("metro", hours=5)[1:]]
    running = Clusterer()
    _, stories = joins_and_stories(early, running)
    restored = Clusterer()
    ordered = [item for batch in batches(early) for item in batch]
    restored.restore((item, stories[item.id]) for item in ordered)
    assert joins_and_stories(late, restored) == joins_and_stories(late, running)


def test_a_large_story_is_harder_to_join():
    def crowd(number: int) -> Cluster:
        cluster = Cluster(0, "a")
        cluster.members = [(n, document(news("a", "Karatal dam overflows"))) for n in range(number)]
        return cluster

    one = crowd(1)
    assert size(Pair(LiveIndex(), one, crowd(5), 1.0, 1.0)) == size(Pair(LiveIndex(), one, crowd(9), 1.0, 1.0)) == 0
    assert size(Pair(LiveIndex(), one, crowd(39), 1.0, 1.0)) > size(Pair(LiveIndex(), one, crowd(19), 1.0, 1.0)) > 0
    assert dict((name, weight) for name, weight, _ in FEATURES)["size"] < 0


def test_batches_are_runs_of_one_time_in_a_fixed_order():
    items = [news("a", f"Title {n}", hours=n % 2) for n in range(40)]
    cut = list(batches(reversed(items), most=15))
    assert [len(batch) for batch in cut] == [15, 5, 15, 5]
    assert cut == list(batches(items, most=15))
    assert [len(batch) for batch in batches(items)] == [20, 20]
    assert list(batches([])) == []


def test_a_rare_word_in_common_is_not_enough():
    items = [news("a", "Schools may open in August"), news("b", "Ibiza holidays in August"), *told("dam")]
    assert frozenset({items[0].title}) in groups(items)


def test_the_boilerplate_of_a_source_does_not_join_its_items():
    promotion = "Subscribe to our channel for more stories and watch our programmes on the website every single day."
    items = [news("valley-tv", title, promotion) for title in ("Farmers sow early barley", "Wrestlers win gold")]
    assert groups(items) == {frozenset({item.title}) for item in items}


def test_a_source_that_follows_an_event_with_another_text_tells_one_story():
    source, title, _ = EVENTS["dam"][0]
    other = told("dam")[1]
    first = news(source, title, "The Karatal dam overflowed and meltwater flooded fields in the valley villages.")
    again = news(source, "Villagers home again after the Karatal dam overflowed",
                 "Days after meltwater overflowed the Karatal dam, valley villages clear flooded fields.", hours=9)
    _, stories = joins_and_stories([first, other, again, *told("metro"), *told("wrestling")])
    assert stories[again.id] == stories[first.id]
