"""What an editor may do to a draft, and what always holds of it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.errors import ActionRefused
from digest.model import Block, BodyPolicy
from digest.pipeline.changes import changes
from digest.pipeline.compose import compose
from digest.pipeline.desk import Action, apply, resolve, section_key, short_ids
from digest.pipeline.view import EditionView, to_json
from digest.pipeline.working import WorkingSet, story_to_value, working_set
from tests.pipeline.worlds import feed, inputs, item, newsletter, story

TEXT = "It was said on Monday. It was denied on Tuesday. It came to be on Wednesday. The rest is silence."
TOPICS = ({"slug": "work", "title": "Work", "query": "strike OR wages", "limit": 1},)


def edition() -> tuple[EditionView, WorkingSet]:
    """A lead told by two, a topic, latest (2), a brief, one of the neighbours, and one beyond the caps."""
    told = inputs(
        story(item("Almaty bridge opens", "herald", hours=2, summary=TEXT, key="b1"),
              item("New bridge in Almaty", "courier", hours=1, summary="Cars cross. " + TEXT, key="b2")),
        story(item("Bus drivers strike", "herald", hours=3, summary=TEXT)),
        story(item("Grain doubles", "gazette", hours=4, summary=TEXT)),
        story(item("Rail line sold", "wire", hours=5, summary=TEXT)),
        story(item("Wages late again", "volna", hours=6, summary=TEXT)),
        story(item("Tashkent paints a tower", feed("post", region="Uzbekistan"), hours=7, summary=TEXT)),
        story(item("Undated rumour", "wire", hours=None, seen=4.5, summary=TEXT)),
        newsletter=newsletter(topics=TOPICS, sections={"latest": 2, "brief": 1, "more": 2}))
    composed = compose(told)
    return composed.view, working_set(composed, told)


BASE, POOL = edition()
IDS = [s.id for s in BASE.all_stories]


def named(headline: str, view: EditionView = BASE) -> str:
    return next(s.id for s in view.all_stories if s.headline.startswith(headline))


def do(*actions: tuple[str, dict[str, Any]]) -> EditionView:
    return apply(BASE, POOL, [Action(kind, payload) for kind, payload in actions])


def outline(view: EditionView) -> dict[str, list[str]]:
    places = {section.key: [s.headline for s in section.stories] for section in view.sections}
    return {"lead": [view.lead.headline] if view.lead else [], **places, "rest": [s.headline for s in view.rest]}


def test_the_world_is_as_the_tests_say() -> None:
    assert outline(BASE) == {
        "lead": ["Almaty bridge opens"], "topic-work": ["Bus drivers strike"],
        "latest": ["Grain doubles", "Undated rumour"], "brief": ["Wages late again"],
        "more": ["Tashkent paints a tower"], "rest": ["Rail line sold"]}
    assert [s.id for s in POOL.stories] == sorted(IDS, key=lambda i: -POOL.by_id[i].copies[0].story.score)
    assert WorkingSet.from_json(POOL.to_json()) == POOL


def test_a_pinned_story_leads_and_the_old_lead_goes_home() -> None:
    view = do(("pin", {"story": named("Grain")}))
    assert outline(view)["lead"] == ["Grain doubles"]
    assert outline(view)["latest"] == ["Almaty bridge opens", "Undated rumour"]
    assert view.subject == "Grain doubles" and view.lead is not None
    assert len(view.lead.excerpt) > len(BASE.sections[1].stories[0].excerpt)


def test_a_story_may_be_pinned_on_top_of_a_section() -> None:
    view = do(("pin", {"story": named("Wages"), "section": "topic-work"}))
    assert outline(view)["topic-work"] == ["Wages late again", "Bus drivers strike"]


def test_a_dropped_story_stands_nowhere() -> None:
    view = do(("drop", {"story": named("Bus"), "reason": "old"}))
    assert "topic-work" not in outline(view)
    assert named("Bus") not in {s.id for s in view.all_stories}


def test_where_the_lead_is_dropped_the_best_dated_story_of_the_region_leads() -> None:
    view = do(("drop", {"story": named("Almaty"), "reason": "wrong"}))
    assert outline(view)["lead"] == ["Bus drivers strike"]
    assert view.subject == "Bus drivers strike"


def test_an_edition_whose_every_story_was_dropped_is_empty() -> None:
    view = do(*(("drop", {"story": id_, "reason": "no"}) for id_ in IDS))
    assert view.all_stories == () and view.empty_reason == "every story was dropped at the desk"


@pytest.mark.parametrize(("position", "expected"), [
    (1, ["Tashkent paints a tower", "Grain doubles", "Undated rumour"]),
    (2, ["Grain doubles", "Tashkent paints a tower", "Undated rumour"]),
    (99, ["Grain doubles", "Undated rumour", "Tashkent paints a tower"]),
    (None, ["Grain doubles", "Undated rumour", "Tashkent paints a tower"]),
])
def test_a_story_moves_to_a_position(position: int | None, expected: list[str]) -> None:
    view = do(("move", {"story": named("Tashkent"), "section": "latest", "position": position}))
    assert outline(view)["latest"] == expected and "more" not in outline(view)


def test_a_story_is_shown_as_its_new_place_shows_stories() -> None:
    view = do(("move", {"story": named("Wages"), "section": "latest"}),
              ("move", {"story": named("Grain"), "section": "brief"}))
    stories = {s.headline: s for s in view.all_stories}
    assert stories["Wages late again"].excerpt and not stories["Grain doubles"].excerpt


def test_another_copy_is_shown_with_its_own_words_and_credit() -> None:
    lead = POOL.by_id[named("Almaty")]
    view = do(("copy", {"story": lead.id, "item": lead.copies[1].item}))
    assert view.lead is not None
    assert (view.lead.headline, view.lead.credit) == ("New bridge in Almaty", "Courier")
    assert [c.name for c in view.lead.also_in] == ["Herald"]
    with pytest.raises(ActionRefused, match="no copy"):
        do(("copy", {"story": lead.id, "item": "0" * 16}))


def test_an_edited_headline_keeps_the_original() -> None:
    view = do(("edit", {"story": IDS[0], "headline": "Bridge\nopens", "excerpt": None}))
    assert view.lead is not None
    assert (view.lead.headline, view.lead.original_headline) == ("Bridge opens", "Almaty bridge opens")
    assert view.subject == "Bridge opens"
    back = do(("edit", {"story": IDS[0], "headline": "x"}),
              ("edit", {"story": IDS[0], "headline": "Almaty bridge opens"}))
    assert to_json(back) == to_json(BASE)
    for payload in ({}, {"headline": " "}):
        with pytest.raises(ActionRefused, match="nothing to edit"):
            do(("edit", {"story": IDS[0], **payload}))


def test_an_edited_excerpt_is_shown_in_place_of_the_full_text() -> None:
    full = feed("herald", body=BodyPolicy.FULL)
    told = inputs(story(item("Bridge opens", full, hours=2, summary=TEXT, body=(Block("p", TEXT),))))
    composed = compose(told)
    lead = composed.view.lead
    assert lead is not None and lead.body
    view = apply(composed.view, working_set(composed, told), [Action("edit", {"story": lead.id, "excerpt": "Short."})])
    assert view.lead is not None and (view.lead.excerpt, view.lead.body) == ("Short.", ())


def test_a_note_is_the_editors_own_and_an_empty_one_takes_it_away() -> None:
    view = do(("note", {"story": IDS[1], "text": "We asked\nthe depot."}))
    assert view.sections[0].stories[0].note == "We asked the depot."
    without = do(("note", {"story": IDS[1], "text": "x"}), ("note", {"story": IDS[1], "text": ""}))
    assert to_json(without) == to_json(BASE)


def test_a_pending_story_is_taken_into_its_section() -> None:
    later = inputs(story(item("Metro stops", "herald", hours=1, summary=TEXT)))
    composed = compose(later)
    working = working_set(composed, later).stories[0]
    take = ("take", {"story": working.id, "working": story_to_value(working)})
    assert outline(do(take))["latest"] == ["Grain doubles", "Undated rumour", "Metro stops"]
    assert outline(do(("take", {**take[1], "section": "lead"})))["lead"] == ["Metro stops"]
    with pytest.raises(ActionRefused, match="already"):
        do(take, take)


def test_what_is_not_in_the_edition_cannot_be_changed() -> None:
    with pytest.raises(ActionRefused, match="not in the edition"):
        do(("drop", {"story": IDS[0], "reason": ""}), ("note", {"story": IDS[0], "text": "x"}))


def test_stories_are_named_by_the_beginnings_of_their_ids() -> None:
    ids = ["abcd1", "abce2", "ffff3"]
    assert resolve("abcd", ids) == "abcd1" and resolve("F", ids) == "ffff3"
    for prefix, why in (("abc", "begins 2 stories"), ("0", "no story '0'"), ("", "no story ''")):
        with pytest.raises(ActionRefused, match=why):
            resolve(prefix, ids)
    assert short_ids(["abcdef1", "abcdeg2"]) == {"abcdef1": "abcdef", "abcdeg2": "abcdeg"}


def test_sections_are_named_by_key_topic_or_title() -> None:
    for name in ("topic-work", "work", "Work"):
        assert section_key(name, POOL.sections) == "topic-work"
    assert [section_key(name, POOL.sections) for name in ("LEAD", "rest", "latest")] == ["lead", "rest", "latest"]
    with pytest.raises(ActionRefused, match="known: lead, work, latest, brief, more"):
        section_key("sport", POOL.sections)


def test_changes_are_told_in_words() -> None:
    lead = POOL.by_id[named("Almaty")]
    view = do(("pin", {"story": named("Grain")}), ("drop", {"story": named("Bus"), "reason": "old"}),
              ("move", {"story": named("Undated"), "section": "latest", "position": 1}),
              ("copy", {"story": lead.id, "item": lead.copies[1].item}),
              ("edit", {"story": named("Rail"), "headline": "Railway sold"}),
              ("note", {"story": named("Rail"), "text": "To whom?"}))
    told = [(c.what, c.before, c.after) for c in changes(BASE, view)]
    assert told == [
        ("lead", "Latest from Kazakhstan 1", "lead"), ("moved", "lead", "Latest from Kazakhstan 2"),
        ("dropped", "Work 1", ""), ("copy", "Herald", "Courier"), ("headline", "Rail line sold", "Railway sold"),
        ("note", "", "To whom?"), ("subject", "Almaty bridge opens", "Grain doubles")]
    moved = do(("move", {"story": named("Undated"), "section": "latest", "position": 1}))
    assert len(changes(BASE, moved)) == 1 and changes(BASE, moved)[0].what == "moved"
    assert changes(BASE, BASE) == ()


places = st.sampled_from(["lead", "rest", *(h.key for h in POOL.sections)])
stories = st.sampled_from(IDS)
actions = st.one_of(
    st.builds(lambda s, p: Action("pin", {"story": s, "section": p}), stories, places | st.none()),
    st.builds(lambda s: Action("drop", {"story": s, "reason": "so"}), stories),
    st.builds(lambda s, p, n: Action("move", {"story": s, "section": p, "position": n}), stories, places,
              st.integers(1, 4) | st.none()),
    st.builds(lambda s, n: Action("copy", {"story": s, "item": POOL.by_id[s].copies[n].item}), stories, st.just(0)),
    st.just(Action("copy", {"story": IDS[0], "item": POOL.by_id[IDS[0]].copies[1].item})),
    st.builds(lambda s, t: Action("edit", {"story": s, "headline": t}), stories, st.sampled_from(["One", "Two"])),
    st.builds(lambda s, t: Action("note", {"story": s, "text": t}), stories, st.sampled_from(["", "Note"])),
    st.builds(lambda s, p: Action("take", {"story": s, "section": p, "working": story_to_value(POOL.by_id[s])}),
              stories, places | st.none()),
)


def _accepted(wanted: list[Action]) -> Iterator[Action]:
    done: list[Action] = []
    for action in wanted:
        try:
            apply(BASE, POOL, [*done, action])
        except ActionRefused:
            continue
        done.append(action)
        yield action


@given(st.lists(actions, max_size=12))
@settings(max_examples=200, deadline=None)
def test_whatever_is_done_no_story_stands_twice_and_undoing_all_gives_the_base_back(wanted: list[Action]) -> None:
    done = list(_accepted(wanted))
    view = apply(BASE, POOL, done)
    assert to_json(apply(BASE, POOL, tuple(done))) == to_json(view)
    ids = [s.id for s in view.all_stories]
    assert len(ids) == len(set(ids)) and set(ids) <= set(IDS)
    assert all(section.stories for section in view.sections)
    assert view.lead is not None or not view.mailed
    keys = [h.key for h in POOL.sections]
    assert [s.key for s in view.sections] == [key for key in keys if any(s.key == key for s in view.sections)]
    while done:
        done.pop()
    assert to_json(apply(BASE, POOL, done)) == to_json(BASE)


@given(stories, places)
def test_a_story_that_goes_and_comes_back_is_told_as_before(story_id: str, place: str) -> None:
    old = next((key for key, titles in outline(BASE).items() for s in BASE.all_stories
                if s.id == story_id and s.headline in titles), "rest")
    there = [s.headline for s in apply(BASE, POOL, [Action("move", {"story": story_id, "section": place})]).all_stories]
    assert sorted(there) == sorted(s.headline for s in BASE.all_stories)
    back = apply(BASE, POOL, [Action("move", {"story": story_id, "section": place}),
                              Action("move", {"story": story_id, "section": old})])
    told = {s.id: s for s in back.all_stories}[story_id]
    assert replace(told, note="") == {s.id: s for s in BASE.all_stories}[story_id]
