"""Where stories stand: lead, topic sections, latest, more, rest."""

import pytest

from digest.documents import Gazetteer, Region
from digest.model import Item, Story
from digest.pipeline.arrange import Arrangement, arrange, country_of, titles_in
from digest.pipeline.pool import fill
from digest.pipeline.rank import rank
from tests.pipeline.worlds import GAZETTEER, feed, inputs, item, newsletter, story

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
    result = arranged(*stories, newsletter=newsletter(sections={"brief": 0}))
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


def test_what_found_no_place_is_told_in_brief_before_more() -> None:
    stories = [story(item(f"Bread {n}", f"source-{n}", hours=n + 1)) for n in range(9)]
    uzbek = story(item("Bread", UZBEK))
    result = arranged(*stories, uzbek, newsletter=newsletter(sections={"brief": 2}))
    assert [(s.key, len(r)) for s, r in result.sections] == [("latest", 5), ("brief", 2), ("more", 1)]
    assert [r.id for r in result.sections[1][1]] == [stories[6].id, stories[7].id]
    assert result.fates[stories[6].id].gate == "chosen" and [r.id for r in result.rest] == [stories[8].id]


def test_sources_take_turns_where_stories_are_close() -> None:
    lead = told_by_two("Bread", hours=1)
    herald = [story(item(f"Loaf {n}", "baker", hours=4 + n / 10)) for n in range(3)]
    late, later = story(item("Gas", "miner", hours=5)), story(item("Gas", "digger", hours=13))
    result = arranged(lead, *herald, late, later)
    assert sections(result)["latest"] == [s.id for s in (herald[0], late, herald[1], herald[2], later)]


def test_what_repeats_a_story_of_the_mail_gives_way() -> None:
    lead = told_by_two("Dam bursts in the north", hours=1)
    again = story(item("Dam in the north bursts again", "baker", hours=2))
    stations = [story(item(title, paper, hours=hours)) for title, paper, hours in (
        ("Wheat is dear", "miner", 6), ("Trains are late", "digger", 7))]
    result = arranged(lead, again, *stations)
    assert sections(result)["latest"] == [s.id for s in (*stations, again)]
    assert sections(arranged(again, *stations))["latest"] == [s.id for s in stations]  # alone it leads


def test_likeness_costs_no_more_than_its_points() -> None:
    lead = told_by_two("Dam bursts in the north", hours=1)
    again = story(item("Dam bursts in the north", "baker", hours=2))
    old = story(item("Wheat is dear", "miner", hours=23))
    assert sections(arranged(lead, again, old))["latest"] == [again.id, old.id]


def test_a_topic_is_capped_in_all_sections() -> None:
    stories = [story(item(f"Gas {n}", feed(f"source-{n}", region="Uzbekistan" if n > 2 else "Kazakhstan")))
               for n in range(6)]
    result = arranged(*stories, newsletter=newsletter(topics=TOPICS, caps={"topic": 3, "country": 0}))
    assert [result.fates[r.id].gate for r in result.rest] == ["topic cap"] * 3
    assert "3 better stories are about Energy" in result.fates[result.rest[0].id].why


def test_other_countries_are_capped_but_not_the_own_region_or_what_holds_it() -> None:
    regions = ["Uzbekistan"] * 3 + ["Central Asia"] * 3 + ["Kazakhstan"] * 4
    stories = [story(item(f"Bread {n}", feed(f"source-{n}", region=region))) for n, region in enumerate(regions)]
    result = arranged(*stories, newsletter=newsletter(caps={"country": 1}))
    assert [(r.region, result.fates[r.id].gate) for r in result.rest] == [("Uzbekistan", "country cap")] * 2


@pytest.mark.parametrize(("region", "country"), [
    ("Osh", "Kyrgyzstan"), ("Kyrgyzstan", "Kyrgyzstan"), ("Turkey", "Turkey"), ("Kazakhstan", None),
    ("Almaty Region", None), ("Central Asia", None), ("Atlantis", "Atlantis"),
])
def test_the_country_of_a_region_is_the_outermost_that_does_not_hold_home(region: str, country: str | None) -> None:
    more = (Region(name="Osh", parent="Kyrgyzstan"), Region(name="Almaty Region", parent="Kazakhstan"))
    gazetteer = Gazetteer({**GAZETTEER.regions, **{r.name: r for r in more}})
    assert country_of(region, "Kazakhstan", gazetteer) == country


@pytest.mark.parametrize(("language", "titles"), [
    ("ru", ["Последнее: Казахстан", "Ещё новости: Центральная Азия", "На других языках: казахский"]),
    ("kk", ["Соңғы жаңалықтар: Kazakhstan", "Тағы жаңалықтар: Central Asia", "Басқа тілдерде: қазақ тілі"]),
])
def test_titles_are_in_the_newsletters_language_with_the_regions_own_name(language: str, titles: list[str]) -> None:
    named = {"Kazakhstan": {"ru": "Казахстан"}, "Central Asia": {"ru": "Центральная Азия"}}
    regions = {name: region.model_copy(update={"names": named.get(name, {})})
               for name, region in GAZETTEER.regions.items()}
    stories = [story(item(title, source)) for title, source in (("Bread", "a"), ("Salt", "b"), ("Gas", UZBEK))]
    foreign = story(item("Нан", "c", language="kk"))
    given = newsletter(language=language, read=("en",), unreadable="list")
    result = arranged(*stories, foreign, newsletter=given, gazetteer=Gazetteer(regions))
    assert [s.title for s, _ in result.sections] == titles


def test_a_topic_may_have_a_cap_of_its_own() -> None:
    stories = [story(item(f"Gas {n}", f"source-{n}", hours=n + 1)) for n in range(4)]
    topics = ({**TOPICS[0], "cap": 1}, TOPICS[1])
    result = arranged(*stories, newsletter=newsletter(topics=topics, caps={"topic": 3}))
    assert [result.fates[r.id].gate for r in result.rest] == ["topic cap"] * 3
    assert "a better story is about Energy" in result.fates[result.rest[0].id].why


def test_a_floor_takes_its_places_before_better_stories_fill_the_caps() -> None:
    lead = told_by_two("Bread", hours=1)
    loaves = [story(item(f"Loaf {n}", "baker", hours=2 + n)) for n in range(3)]
    gas = [story(item(f"Gas {n}{n}", "baker", hours=20 + n)) for n in range(3)]

    def stands(floor: int) -> dict[str, list[str]]:
        given = newsletter(topics=({**TOPICS[0], "weight": 0.5, "floor": floor},), caps={"source": 3, "family": 0})
        return sections(arranged(lead, *loaves, *gas, newsletter=given))

    assert stands(0) == {"latest": [s.id for s in loaves]}
    assert stands(2) == {"topic-energy": [gas[0].id, gas[1].id], "latest": [loaves[0].id]}


def test_a_floor_above_the_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="a section shows no more than its limit"):
        newsletter(topics=({**TOPICS[0], "floor": 3},))


def test_topics_have_titles_in_interface_languages() -> None:
    topics = ({**TOPICS[0], "titles": {"ru": "Энергия"}}, TOPICS[1])
    russian = newsletter(language="ru", topics=topics)
    result = arranged(told_by_two("Bread"), story(item("Gas", "a")), story(item("Bank", "b")), newsletter=russian)
    assert [s.title for s, _ in result.sections] == ["Энергия", "Money"]
    titles = titles_in((), inputs(newsletter=newsletter(topics=topics)), "ru")
    assert (titles["topic-energy"], titles["latest"]) == ("Энергия", "Последнее: Kazakhstan")
    assert "topic-money" not in titles and "topic-energy" not in titles_in((), inputs(newsletter=russian), "kk")
