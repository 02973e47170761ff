"""A topic counts by the share of a story's items that it matches."""

import pytest

from digest.documents import Topic
from digest.pipeline.pool import Candidate
from digest.pipeline.topics import TopicMatcher, claimant
from digest.text.names import Name, Names
from tests.pipeline.worlds import item, story

ENERGY = Topic(slug="energy", title="Energy", query='gas OR oil OR "power plant"', weight=1.5)
FINANCE = Topic(slug="finance", title="Finance", query="bank OR tenge", weight=3)
GOSSIP = Topic(slug="gossip", title="Gossip", query="celebrity", weight=-2)


def candidate(*titles: str) -> Candidate:
    told = story(*(item(title, f"source-{n}") for n, title in enumerate(titles)))
    return Candidate(told, told.items, told.items, told.items[0], True)


@pytest.mark.parametrize(("titles", "points"), [
    (("Gas runs out", "No gas in the south", "Homes go cold", "Ministers resign"), 1.5),  # half match: full weight
    (("Gas runs out", "Homes go cold", "Ministers resign", "Strike"), 0.75),
    (("Old power plant fails",), 1.5),
    (("Homes go cold",), None),
])
def test_points_follow_the_share(titles: tuple[str, ...], points: float | None) -> None:
    matches = TopicMatcher([ENERGY]).matches(candidate(*titles))
    assert [m.points for m in matches] == ([points] if points else [])


def test_a_topic_may_ask_for_a_name_of_the_gazetteer() -> None:
    names = Names([Name("tokayev", "person", {"en": ("Tokayev",)})])
    topic = Topic(slug="president", title="President", query="@tokayev AND source:source-0", weight=1)
    told = candidate("Tokayev speaks")
    assert [m.points for m in TopicMatcher([topic], names).matches(told)] == [1]
    assert TopicMatcher([topic]).matches(told) == ()


def test_one_odd_headline_does_not_claim_a_story() -> None:
    matches = TopicMatcher([FINANCE]).matches(candidate("A game is out", "Game review", "Game sales", "Bank sees game"))
    assert [m.share for m in matches] == [0.25]
    assert claimant(matches) is None


def test_what_all_copies_are_about_claims_a_story_before_what_half_of_them_mention() -> None:
    matches = TopicMatcher([FINANCE.model_copy(update={"weight": 2}), ENERGY]).matches(
        candidate("Gas runs out, banks worry", "No gas in the south"))
    assert [m.points for m in matches] == [2, 1.5]
    assert claimant(matches) == ENERGY


def test_the_topic_with_most_weight_claims_a_story() -> None:
    matches = TopicMatcher([ENERGY, FINANCE]).matches(candidate("Gas bill at the bank"))
    assert claimant(matches) == FINANCE


def test_negative_and_sectionless_topics_claim_nothing() -> None:
    silent = ENERGY.model_copy(update={"limit": 0})
    matches = TopicMatcher([GOSSIP, silent]).matches(candidate("Celebrity buys gas"))
    assert [m.points for m in matches] == [-2, 1.5]
    assert claimant(matches) is None
