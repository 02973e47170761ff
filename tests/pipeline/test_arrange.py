"""Where stories stand: lead, topic sections, latest, more, rest."""

from digest.model import Item, Story
from digest.pipeline.arrange import Arrangement, arrange
from digest.pipeline.pool import fill
from digest.pipeline.rank import rank
from tests.pipeline.worlds import feed, inputs, item, newsletter, story

UZBEK = feed("tashkent-post", region="Uzbekistan")
TOPICS = ({"slug": "energy", "title": "Energy", "query": "gas OR power", "limit": 2},
          {"slug": "money", "title": "Money", "query": "bank OR power", "weight": 2})


def arranged(*stories: Story, **changes: object) -> Arrangement:
    given = inputs(*stories, **changes)
    return arrange(rank(fill(given), given), given)


def told_by_two(title: str, **changes: object) -> Story:
    first, second = item(title, "herald", **changes), item(title + " again", "courier", **changes)  # type: ignore[arg-type]
    return story(first, second)


def sections(arrangement: Arrangement) -> dict[str, list[str]]:
    return {s.key: [r.id for r in stories] for s, stories in arrangement.sections}


def test_the_lead_prefers_two_independent_sources() -> None:
    alone, confirmed = story(item("Kazakh bread in Almaty", hours=1)), told_by_two("Bread", hours=20)
    assert arranged(alone, confirmed).lead.id == confirmed.id  # type: ignore[union-attr]


def test_without_two_sources_the_best_story_leads() -> None:
    young, old = story(item("Bread", hours=1)), story(item("Gas", hours=9))
    assert arranged(young, old).lead.id == young.id  # type: ignore[union-attr]


def test_the_lead_is_of_the_newsletters_region_where_it_has_any() -> None:
    home = story(item("Bread", hours=20))
    abroad = story(*(item("Gas", feed(f"t-{n}", region="Uzbekistan")) for n in range(4)))
    assert arranged(home, abroad).lead.id == home.id  # type: ignore[union-attr]
    assert arranged(abroad).lead.id == abroad.id  # type: ignore[union-attr]


def test_an_undated_story_never_leads() -> None:
    undated = story(item("Bread", hours=None), item("Bread!", "herald", hours=None))
    only = arranged(undated)
    assert only.lead is None
    assert sections(only) == {"latest": [undated.id]}


def test_a_story_stands_in_the_topic_with_most_points() -> None:
    lead = told_by_two("Bread")
    gas, power, bank = (story(item(t, s)) for t, s in (("Gas", "a"), ("Power cut", "b"), ("Bank", "c")))
    result = arranged(lead, gas, power, bank, newsletter=newsletter(topics=TOPICS))
    assert result.lead is not None and result.lead.id in {lead.id, power.id}
    placed = sections(result)
    assert placed["topic-energy"] == [gas.id]
    assert set(placed["topic-money"]) == {power.id, bank.id}
    assert list(placed) == ["topic-energy", "topic-money"]  # the order of the configuration


def test_more_comes_from_the_parent_region_and_other_regions_are_left_out() -> None:
    home, uzbek = story(item("Bread", "herald")), story(item("Bread", UZBEK))
    turkish = story(item("Ankara talks", "courier"))
    result = arranged(home, uzbek, turkish)
    assert [(s.title, len(r)) for s, r in result.sections] == [("More Central Asia News", 1)]
    assert result.fates[turkish.id].gate == "another region"


def test_without_a_parent_more_takes_every_other_region() -> None:
    world = newsletter(region="World", regions=("Central Asia",))
    home, uzbek = story(item("Bread", feed("herald", region="World"))), story(item("Bread", UZBEK))
    result = arranged(home, uzbek, newsletter=world.model_copy(update={"sources": ("herald",)}))
    assert [(s.title, len(r)) for s, r in result.sections] == [("More news", 1)]


def test_caps_leave_stories_to_the_page_of_all() -> None:
    stories = [story(item(f"Bread {n}", "herald", hours=n + 1)) for n in range(4)]
    result = arranged(*stories, newsletter=newsletter(caps={"source": 2, "family": 0}))
    assert len(result.rest) == 2
    assert {result.fates[r.id].gate for r in result.rest} == {"source cap"}
    assert {result.fates[r.id].section for r in result.rest} == {"rest"}


def test_sisters_share_the_family_cap() -> None:
    stories = [story(item(f"Bread {n}", feed(f"sister-{n}", family="sisters"))) for n in range(5)]
    result = arranged(*stories)
    assert [result.fates[r.id].gate for r in result.rest] == ["family cap"]


def test_a_full_section_leaves_the_rest_below_the_cut() -> None:
    stories = [story(item(f"Bread {n}", f"source-{n}", hours=n + 1)) for n in range(8)]
    result = arranged(*stories)
    assert [len(r) for _, r in result.sections] == [5]
    assert [r.id for r in result.rest] == [stories[6].id, stories[7].id]
    assert "5 better stories" in result.fates[stories[7].id].why


def test_unreadable_stories_are_listed_last_and_never_lead() -> None:
    def told(title: str, source: str, language: str) -> Item:
        return item(title, source, language=language)

    russian, kazakh = story(told("Хлеб", "volna", "ru")), story(told("Нан", "tolqyn", "kk"))
    english = story(item("Bread", "herald"), item("Bread", "courier", hours=2))
    result = arranged(russian, kazakh, english, newsletter=newsletter(unreadable="list"))
    assert result.lead is not None and result.lead.id == english.id
    assert [(s.key, s.title) for s, _ in result.sections] == [("unreadable", "In Kazakh and Russian")]
