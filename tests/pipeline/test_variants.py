"""Variants shorten and never change a story; what was missed is told from editions that were."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.locale import LANGUAGES
from digest.model import Preferences
from digest.pipeline.compose import compose
from digest.pipeline.pool import EditionInputs
from digest.pipeline.render import Renderer
from digest.pipeline.variants import (
    DEFAULT,
    SINCE_STORIES,
    Variant,
    read_variant,
    render,
    shown,
    since_of,
    variant_of,
)
from digest.pipeline.view import EditionView, InterfaceView, StoryView, TitleView
from digest.resources import template_texts
from tests.pipeline import views
from tests.pipeline.test_compose_properties import pools

RENDERER = Renderer(template_texts(None))
EXAMPLES = settings(max_examples=100, deadline=None)
RUSSIAN = InterfaceView("ru", (TitleView("latest", "Последнее из Казахстана"), TitleView("more", "Ещё новости")),
                        "Тихий день: 3 новости.")
EDITION = replace(views.EDITION, interfaces=(RUSSIAN,))
SECTIONS = ["latest", "brief", "more", "topic-energy", "unreadable"]
WANTED = st.builds(
    Variant, format=st.sampled_from(["html", "text"]), language=st.sampled_from(["", *LANGUAGES[1:]]),
    hidden=st.lists(st.sampled_from(SECTIONS), unique=True).map(lambda keys: tuple(sorted(keys))),
    read=st.lists(st.sampled_from(["en", "kk", "ru", "uz"]), unique=True).map(lambda tags: tuple(sorted(tags))))


def day(number: int, *stories: StoryView, lead: StoryView | None = None) -> EditionView:
    """The edition of a day in March with these stories in its first section."""
    section = replace(views.POLITICS, stories=stories)
    return replace(EDITION, date=f"2023-03-{number:02}", lead=lead, sections=(section,) if stories else ())


def in_order(some: tuple[StoryView, ...], all_of_them: tuple[StoryView, ...]) -> bool:
    """Whether `some` are stories of `all_of_them`, unchanged and in their order."""
    rest = iter(all_of_them)
    return all(any(story == other for other in rest) for story in some)


@EXAMPLES
@given(pools(), WANTED)
def test_a_variant_hides_and_changes_no_story(given_inputs: EditionInputs, variant: Variant) -> None:
    view = compose(given_inputs).view
    short = shown(view, variant)
    assert in_order(short.mailed, view.mailed)
    assert sorted(s.id for s in short.all_stories) == sorted(s.id for s in view.all_stories)
    hidden = {s.id for section in view.sections if section.key in variant.hidden for s in section.stories}
    unread = {s.id for s in view.mailed if variant.read and s.language not in (*variant.read, "und")}
    assert {s.id for s in short.mailed} == {s.id for s in view.mailed} - hidden - unread
    assert all(section.stories for section in short.sections)
    assert short.language == (variant.language or view.language)


@EXAMPLES
@given(pools(), WANTED, st.sampled_from([None, *LANGUAGES]))
def test_readers_whom_it_makes_no_difference_share_a_variant(
    given_inputs: EditionInputs, wanted: Variant, language: str | None
) -> None:
    view = compose(given_inputs).view
    preferences = Preferences(format=wanted.format, language=language, read=wanted.read)
    variant = variant_of(preferences, wanted.hidden, view)
    assert shown(view, variant).mailed == shown(view, wanted).mailed
    assert read_variant(variant.name) == variant
    assert variant.language == (language if language not in (None, view.language) else "")
    if shown(view, wanted).mailed == view.mailed and wanted.format == "html" and not variant.language:
        assert variant == DEFAULT


def test_a_variant_that_asks_for_nothing_is_the_edition() -> None:
    assert shown(EDITION, DEFAULT) == EDITION
    assert render(EDITION, DEFAULT, RENDERER) == RENDERER.message(EDITION)
    everything = Preferences(read=("en", "ru"), language="en")
    assert variant_of(everything, ("no-such-section",), EDITION) == DEFAULT


@pytest.mark.parametrize("name", [
    "default", "text", "in ru", "without more,politics", "reading en", "since 2023-03-18,2023-03-19",
    "text in ru without more reading en,kk since 2023-03-19",
])
def test_a_variant_is_known_by_its_name(name: str) -> None:
    assert read_variant(name).name == name


@pytest.mark.parametrize("name", ["loud", "in", "without", "in ru without", "since yesterday", "hiding more"])
def test_what_is_no_variant_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"no variant|isoformat"):
        read_variant(name)


def test_a_hidden_section_is_in_neither_part_and_still_counts_on_the_web() -> None:
    message = render(EDITION, Variant(hidden=("economy",)), RENDERER)
    assert message is not None
    assert "Grain Terminal" not in message.html + message.text and "Osh Bazaar" in message.html
    assert "All 15 stories" in message.html and "All 15 stories:" in message.text


def test_subject_and_preheader_tell_of_what_is_left() -> None:
    view = replace(EDITION, lead=None)
    short = shown(view, Variant(hidden=("politics", "latest")))
    assert short.subject == "Grain Terminal at Aktau Doubles Its Night Shifts as Harvest Backlog Moves West"
    assert short.preheader.startswith("Central Bank Holds Rate")


def test_the_next_story_leads_where_the_lead_is_not_read() -> None:
    view = replace(EDITION, lead=replace(views.LEAD, language="kk"))
    short = shown(view, Variant(read=("en",)))
    assert short.lead == views.POLITICS.stories[0]
    assert "politics" not in {section.key for section in short.sections}  # its other story is in Russian
    brief = replace(views.MORE, kind="brief")
    assert shown(replace(view, sections=(brief,)), Variant(read=("en",))).lead is None  # headlines do not lead


def test_a_text_variant_is_its_text_alone() -> None:
    message = render(EDITION, Variant(format="text"), RENDERER)
    assert message is not None
    assert message.html == "" and message.text == RENDERER.text(EDITION)


def test_nothing_is_mailed_where_no_story_is_left() -> None:
    assert render(EDITION, Variant(read=("ky",)), RENDERER) is None


def test_another_interface_language_leaves_what_people_wrote_as_it_is() -> None:
    view = replace(EDITION, notice="A quiet day: 3 stories.", sections=(views.POLITICS, views.LATEST, views.MORE),
                   lead=replace(views.LEAD, note="Corrected since.", whats_new="Also told by Tobol Herald"))
    message = render(view, Variant(language="ru"), RENDERER)
    assert message is not None and message.headers["Content-Language"] == "ru"
    assert '<html lang="ru"' in message.html and "Понедельник, 20 марта 2023" in message.html
    for told in ("Последнее из Казахстана", "Ещё новости", "Тихий день: 3 новости.", "Отписаться"):
        assert told in message.html.replace("&nbsp;", " "), told
    for tag, told in (("h2", "Politics"), ("p", "A daily letter"), ("span", "Corrected since."), ("p", "Also told by")):
        assert re.search(f'<{tag} [^>]*lang="en"[^>]*>{told}', message.html), told
    assert "A quiet day" not in message.html + message.text and "Politics\n" in message.text
    assert message.subject == view.subject


LAST = views.story(21, "Snow closes the pass", "Tobol Herald", score=5.0)
STALE = views.story(22, "Old tram returns", "Tobol Herald", score=1.0)
RUSSIAN_STORY = views.story(23, "Лёд сошёл", "Вести Ишима", score=4.0, language="ru")


def test_since_tells_the_best_stories_of_missed_editions_newest_first() -> None:
    missed = [day(17, LAST, STALE), day(18, RUSSIAN_STORY, lead=views.LEAD), day(16, replace(LAST, headline="Old"))]
    variant = Variant(missed=("2023-03-16", "2023-03-17", "2023-03-18"))
    since = since_of(EDITION, variant, missed)
    assert since is not None
    assert [story.headline for story in since.stories] == ["Лёд сошёл", "Snow closes the pass", "Old tram returns"]
    assert [edition.path for edition in since.editions] == [
        f"/kazakhstan/2023-03-{number}/" for number in (18, 17, 16)]
    english = since_of(EDITION, replace(variant, read=("en",)), missed)
    assert english is not None and english.stories == (LAST, STALE)
    hiding = since_of(EDITION, replace(variant, hidden=("politics",)), missed)
    assert hiding is not None and hiding.stories == ()
    assert since_of(EDITION, DEFAULT, missed) is None


def test_since_stands_in_both_parts_with_its_editions() -> None:
    many = day(19, *(views.story(n, f"Story {n}", "Paper", score=n / 10) for n in range(30, 45)))
    message = render(EDITION, Variant(missed=("2023-03-19",)), RENDERER, [many])
    assert message is not None
    for part in (message.html, message.text):
        assert "Since your last edition" in part and "https://news.example.org/kazakhstan/2023-03-19/" in part
        assert part.count("Story 4") == 5 and "Story 36" not in part
        assert sum(f"Story {n}" in part for n in range(30, 45)) == SINCE_STORIES
    assert "All 15 stories" in message.html


def test_what_a_variant_adds_stays_within_the_budget() -> None:
    missed = [day(19, *(views.story(n, f"Story {n}", "Paper", score=n / 10) for n in range(30, 45)))]
    variant = Variant(missed=("2023-03-19",))
    own = len(RENDERER.html(EDITION).encode())
    tight = replace(EDITION, byte_budget=own + 2500)
    message = render(tight, variant, RENDERER, missed)
    assert message is not None and len(message.html.encode()) <= own + 2500
    assert 0 < sum(f"Story {n}" in message.html for n in range(30, 45)) < SINCE_STORIES
    full = render(replace(EDITION, byte_budget=own), variant, RENDERER, missed)
    assert full == RENDERER.message(EDITION)
    russian = render(replace(EDITION, byte_budget=own), Variant(language="ru"), RENDERER)
    assert russian is not None and len(russian.html.encode()) <= own
    assert "на сайте" in russian.html  # what had no room stands on the web


def test_views_of_older_versions_have_no_other_interfaces() -> None:
    assert variant_of(Preferences(language="ru"), (), replace(EDITION, interfaces=())) == DEFAULT
