"""What an editor's merge or split changes, and what stays apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import ActionRefused
from digest.model import Join
from digest.pipeline.cluster import Assignment, Clusterer
from digest.pipeline.story_book import StoryBook
from digest.pipeline.story_edits import Apart, Change, EditKind, Family, StoryEdit, followed, merged, split
from tests.pipeline.stream import START, told

# b joined a; c founded a story that d joined; e founded one that was merged into c's, which was merged into a's
FAMILY = Family("a", (("a", "a"), ("b", "a"), ("c", "c"), ("d", "c"), ("e", "e")), {"c": "a", "e": "c"})


def stories(family: Family, change: Change) -> dict[str, str]:
    """The story of each item after the change."""
    aliases = {alias: story for alias, story in family.aliases.items() if alias not in change.ended}
    filed = dict(family.items) | dict(change.moved)
    return {item: followed(story, aliases | dict(change.begun)) for item, story in filed.items()}


@pytest.mark.parametrize(("chosen", "story", "leaving"), [
    ({"b"}, "b", ("b",)),
    ({"c", "d", "e"}, "c", ("c", "d", "e")),
    ({"e", "d"}, "d", ("d", "e")),
    ({"c"}, "c", ("c",)),
    ({"a"}, "b", ("b", "c", "d", "e")),  # the part with the first item keeps the id, whoever was named
    ({"a", "c"}, "b", ("b", "d", "e")),
])
def test_a_split_names_the_new_story_after_its_first_item(chosen: set[str], story: str, leaving: tuple[str, ...]):
    change = split(FAMILY, chosen)
    assert (change.story_id, change.other_id, change.items) == ("a", story, leaving)
    expected = {item: story if item in leaving else "a" for item, _ in FAMILY.items}
    assert stories(FAMILY, change) == expected


@given(st.sets(st.sampled_from("abcde"), min_size=1, max_size=4))
def test_every_id_leads_to_the_story_of_its_item(chosen: set[str]):
    change = split(FAMILY, chosen)
    after = stories(FAMILY, change)
    assert set(after.values()) == {change.story_id, change.other_id}
    aliases = {a: s for a, s in FAMILY.aliases.items() if a not in change.ended} | dict(change.begun)
    assert {item: followed(item, aliases) for item in (*FAMILY.aliases, *after.values())} == {
        item: after[item] for item in (*FAMILY.aliases, *after.values())}


@pytest.mark.parametrize(("chosen", "reason"), [
    ({"x"}, "x is no item of story a"), (set(), "on both sides"), (set("abcde"), "on both sides"),
])
def test_a_split_that_parts_nothing_is_refused(chosen: set[str], reason: str):
    with pytest.raises(ActionRefused, match=reason):
        split(FAMILY, chosen)


def test_a_story_does_not_merge_with_itself():
    with pytest.raises(ActionRefused, match="both are story a"):
        merged("a", "a")


def test_what_is_kept_apart_follows_merges_and_splits():
    apart = Apart([("a", "b")])
    apart.merge("c", "b")
    assert apart.pairs() == {("a", "b")}
    apart.merge("b", "d")  # b lives on as d
    assert ("a", "d") in apart
    assert ("b", "a") not in apart
    apart.split("a", "e")
    assert apart.pairs() == {("a", "d"), ("d", "e"), ("a", "e")}
    apart.merge("e", "a")  # an editor's merge lifts it
    assert apart.pairs() == {("a", "d")}


def test_stories_kept_apart_do_not_merge():
    items = told("dam")
    bridge = told("dam", hours=1)
    assert merges_of(items[:1], items[1:2], bridge, ()) == 1
    assert merges_of(items[:1], items[1:2], bridge, [(items[1].id, items[0].id)]) == 0


def merges_of(one, other, batch, apart) -> int:
    clusterer = Clusterer()
    clusterer.restore([*((item, one[0].id) for item in one), *((item, other[0].id) for item in other)], apart)
    return len(clusterer.assign(batch, batch[0].first_seen_at).merges)


def a_book(*stories: str) -> StoryBook:
    """Stories of one-letter items."""
    book = StoryBook()
    for story in stories:
        book.assign(Assignment(tuple(Join(item, story[0], START, 0.0) for item in story), ()), START)
    return book


def test_a_split_holds_where_the_program_groups_otherwise() -> None:
    edit = StoryEdit(1, EditKind.SPLIT, START, "ann", "a", "d", ("d", "e"), ("a", "b", "c"))
    book = a_book("ad", "bex", "c")
    book.edit(edit)
    assert {item: book.root(item) for item in "abcdex"} == {
        "a": "a", "d": "d", "b": "b", "x": "b", "e": "e", "c": "c"}
    assert book.apart.pairs() == {(one, other) for one in "abc" for other in "de"}


def test_a_merge_holds_where_the_program_groups_otherwise() -> None:
    edit = StoryEdit(1, EditKind.MERGE, START, "ann", "b", "c")
    book = a_book("ab", "dc")
    book.edit(edit)
    assert {book.root(item) for item in "abcd"} == {"a"}
    together = a_book("abc")
    together.edit(edit)
    assert together.aliases == {}
