"""Excerpts are whole sentences, and never a subhead."""

import pytest

from digest.model import Block, BodyPolicy
from digest.pipeline.excerpt import LEAD, OTHER, cut_characters, excerpt
from tests.pipeline.worlds import feed, item

ONE = "The harvest came in two weeks early this year."
TWO = "Farmers in the north expect a record."
LONG = " ".join(["Word"] * 70) + "."


@pytest.mark.parametrize(("summary", "lead", "other"), [
    (f"{ONE} {TWO} A third sentence.", f"{ONE} {TWO}", ONE),
    (f"{ONE} {LONG}", ONE, ONE),  # the second does not fit: it is left out, not cut
    (LONG, " ".join(["Word"] * 60) + "…", " ".join(["Word"] * 40) + "…"),
    (f"{ONE} And then it bro", ONE, ONE),  # a feed that cuts its own text
    (f"{ONE} And then it bro…", ONE, ONE),
    ("Only the beginning of…", "Only the beginning of…", "Only the beginning of…"),
    ("A text without end mark", "A text without end mark", "A text without end mark"),
    (f"Good harvest\n{ONE}", ONE, ONE),  # a subhead on a line of its own
    ("The harvest of the\nnorth is in.", "The harvest of the north is in.", "The harvest of the north is in."),
    ("Bread costs more. " + ONE, ONE, ONE),  # repeats the headline
    ("Bread costs more", "", ""),
    ("", "", ""),
])
def test_excerpt_of_a_summary(summary: str, lead: str, other: str) -> None:
    given = item("Bread costs more", summary=summary)
    assert excerpt(given, LEAD) == lead
    assert excerpt(given, OTHER) == other


def test_without_a_summary_the_paragraphs_are_used() -> None:
    body = (Block("h2", "Good harvest"), Block("p", ONE), Block("h2", "Record"), Block("p", TWO))
    assert excerpt(item("Bread", body=body), LEAD) == f"{ONE} {TWO}"


def test_policy_headline_gives_no_excerpt() -> None:
    page = (Block("p", f"{ONE} {TWO}"),)
    assert excerpt(item("Bread", feed(body=BodyPolicy.HEADLINE), summary=ONE), LEAD) == ""
    assert excerpt(item("Bread", feed(body=BodyPolicy.HEADLINE), article=page), LEAD) == ""


@pytest.mark.parametrize(("summary", "expected"), [
    ("", f"{ONE} {TWO}"),
    ("The harvest came in two weeks early…", f"{ONE} {TWO}"),  # the feed cut it off
    (ONE, f"{ONE} {TWO}"),  # the page goes on with what the feed begins
    ("Bread will be cheaper in winter.", "Bread will be cheaper in winter."),  # the publisher's own words for the feed
])
def test_the_text_of_its_page_stands_in_where_the_feed_says_nothing_whole(summary: str, expected: str) -> None:
    page = (Block("p", ONE), Block("h2", "Record"), Block("p", TWO))
    assert excerpt(item("Bread costs more", summary=summary, article=page), LEAD) == expected


@pytest.mark.parametrize(("text", "limit", "expected"), [
    ("short", 10, "short"),
    ("two\nlines  here", 20, "two lines here"),
    ("Ruling party wins: exit polls", 22, "Ruling party wins…"),
    ("Ruling party wins", 12, "Ruling…"),
    ("Unbreakable", 6, "Unbre…"),
    ("exactly ten", 11, "exactly ten"),
])
def test_cut_characters(text: str, limit: int, expected: str) -> None:
    cut = cut_characters(text, limit)
    assert cut == expected
    assert len(cut) <= limit


def test_a_line_in_capitals_is_no_excerpt() -> None:
    given = item("Bread", summary="SIGN UP TO OUR NEWSLETTER. A man died in Peru. He was 49.")
    assert excerpt(given, OTHER) == "A man died in Peru."
    assert excerpt(item("Bread", summary="ООН и ШОС. Встреча прошла.", language="ru"), OTHER) == "ООН и ШОС."
