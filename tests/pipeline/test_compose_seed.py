"""A page of the seed's shape: an agency's election story leads, six stories of the parent region follow."""

from datetime import UTC, datetime
from itertools import cycle

import pytest

from digest.model import Block, BodyPolicy, Item, Story
from digest.pipeline.compose import compose
from digest.pipeline.view import EditionView, from_json, sha256, to_json
from tests.pipeline.worlds import feed, inputs, item, story

PUBLISHED = datetime(2023, 3, 19, 22, 6, tzinfo=UTC)  # "20 Mar 2023, 08:06 GMT+10" on the page
FIRST = "The governing party kept its hold on the lower house in an early vote on Sunday, two exit polls said."
SECOND = "Fewer people came than five years ago."
THIRD = "The count goes on until the evening."


def lead_item() -> Item:
    return item(
        "Governing Party Keeps Kazakh Lower House: Exit Polls",
        feed("regional-wire", body=BodyPolicy.FULL),
        summary=f"{FIRST} {SECOND} {THIRD}",
        body=(Block("p", f"{FIRST} {SECOND}"), Block("h2", "Early vote"), Block("p", THIRD)),
        agency="Voice of America", place="Almaty", published_at=PUBLISHED, published_offset_minutes=600,
        first_seen_at=PUBLISHED,
    )


def parent_stories() -> list[Story]:
    regions = ("Uzbekistan", "Kyrgyzstan", "Central Asia")
    sources = cycle([feed(f"paper-{n}", region=region) for n, region in enumerate(regions)])
    titles = ("Dam refilled", "Border opens", "Cotton sown early", "Rail link agreed", "Glacier measured", "Fair held")
    return [story(item(title, next(sources), hours=n + 2, summary=f"{title} this week. More later."))
            for n, title in enumerate(titles)]


@pytest.fixture(scope="module")
def view() -> EditionView:
    return compose(inputs(story(lead_item()), *parent_stories())).view


def test_the_masthead_has_the_date_of_the_zone(view: EditionView) -> None:
    assert (view.name, view.date, view.zone) == ("Kazakhstan News", "2023-03-20", "Asia/Almaty")


def test_the_lead_names_the_agency_the_place_and_local_time(view: EditionView) -> None:
    assert view.lead is not None
    assert (view.lead.credit, view.lead.via) == ("Voice of America", "Regional Wire")
    assert view.lead.place == "Almaty"
    assert (view.lead.time, view.lead.time_kind) == ("2023-03-20T04:06:00+06:00", "published")


def test_the_subhead_stands_in_the_text_and_not_in_the_excerpt(view: EditionView) -> None:
    assert view.lead is not None
    assert Block("h2", "Early vote") in view.lead.body
    assert view.lead.excerpt == f"{FIRST} {SECOND}"


def test_six_stories_of_the_parent_region_follow_and_the_empty_section_is_omitted(view: EditionView) -> None:
    assert [(s.title, len(s.stories)) for s in view.sections] == [("More Central Asia News", 6)]
    assert len(view.all_stories) == 7
    assert all(s.body == () and s.excerpt for s in view.sections[0].stories)


def test_subject_and_preheader_are_headlines(view: EditionView) -> None:
    assert view.subject == "Governing Party Keeps Kazakh Lower House: Exit Polls"
    assert view.preheader == " · ".join(s.headline for s in view.sections[0].stories[:3])


def test_the_canonical_form_is_stable(view: EditionView) -> None:
    assert from_json(to_json(view)) == view
    again = compose(inputs(*reversed(parent_stories()), story(lead_item()))).view
    assert sha256(again) == sha256(view)
