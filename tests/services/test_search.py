"""Search finds what `match` finds, on both databases, whatever is indexed and however the index is asked."""

import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine

from digest.errors import QueryError
from digest.model import Block, BodyPolicy, Item, Join
from digest.query import match, parse_query, prepare
from digest.query.tree import Query
from digest.services import search
from digest.storage import search as storage
from digest.storage.articles import Fetched, Wanted, claim, record
from digest.storage.engine import read_only
from digest.storage.items import store
from digest.storage.stories import record_joins
from tests.storage.worlds import NOON, a_feed, add_feed, an_item

SINCE, UNTIL = NOON - timedelta(days=30), NOON
VOCABULARY = {  # inflected, so that stems, light endings and several forms of a word take part
    "en": """oil oils gas gases pipeline pipelines Kazakhstan Kazakhstan's kazakh Astana's light turbulence price
        prices US us export exports exported 5,000 5000 2026 Tokayev""",
    "ru": """нефть нефти газ газа газу Казахстан Казахстана казахский Токаев Токаева Токаеву Астана Астане цена цены
        экспорт экспорта 5000 2026 ещё еще""",
    "kk": "мұнай мұнайға газ газдың Қазақстан Қазақстанның Тоқаев Тоқаевтың Астана Астанада баға бағасы экспорт",
    "uz": "neft neftning gaz gazni O'zbekiston Oʻzbekistonda narx narxlar eksport to'g'ri",
    "tr": "petrol doğalgaz İstanbul'da ISPARTA ışık fiyat fiyatlar",
}
SHAPES = (
    "PART", "PART AND PART", "PART OR PART", "PART AND PART NOT PART", "TERM AND (PART OR NOT PART)",
    "TERM NEAR/1 TERM", "TERM NEAR/5 TERM", "TERM ONEAR/2 TERM", "TERM EXCEPT TERM",
    "title:(PART)", "summary:(PART)", "text:(PART)", "SENT(PART AND PART)", "PARA(PART AND TERM)",
    "lang:kk AND PART", "PART NOT lang:ru", "lang:t* PART", "source:ru PART", "PART source:(post OR en-post)",
    "PART AND region:Kazakhstan", "family:kk-post PART", "source:kk-post",
)
FEEDS = {language: a_feed(f"{language} Post", language=language, region=region) for language, region in (
    ("en", "Kazakhstan"), ("ru", "Kazakhstan"), ("kk", "Kazakhstan"), ("uz", "Uzbekistan"), ("tr", "World"))}


def generated_items(count: int, seed: int = 7) -> list[Item]:
    chance = random.Random(seed)
    return [generated_item(str(number), chance) for number in range(count)]


def generated_item(key: str, chance: random.Random) -> Item:
    language = chance.choice(list(VOCABULARY))
    words = VOCABULARY[language].split()

    def prose(most: int) -> str:
        marks = ("", "", "", ",", ".", " –", "-")
        return "".join(f"{chance.choice(words)}{chance.choice(marks)} " for _ in range(chance.randint(0, most))).strip()

    body = tuple(Block("p", prose(12)) for _ in range(chance.randint(0, 2)))
    published = NOON - timedelta(hours=chance.randint(0, 24 * 35)) if chance.random() < 0.9 else None
    return an_item(FEEDS[language], key, title=prose(6) or "Title", summary=prose(10), body=body, language=language,
                   published_at=published, place="Astana" if chance.random() < 0.2 else None)


def generated_query(chance: random.Random, depth: int = 0) -> str:
    words = [word for language in chance.sample(list(VOCABULARY), 2) for word in VOCABULARY[language].split()]

    def term() -> str:
        word, other = chance.choice(words), chance.choice(words)
        return chance.choice([word, word, word, f"={word}", f'"{word} {other}"', f'"{word} {other}"', f"!{word}",
                              f'"{word} {other} {chance.choice(words)}"~2', f'="{word} {other}"', f"{word[:3]}*"
                              if word[:3].isalpha() else word])

    def part() -> str:
        return f"({generated_query(chance, depth + 1)})" if depth < 2 and chance.random() < 0.4 else term()

    shape = chance.choice(SHAPES)
    while "TERM" in shape or "PART" in shape:
        shape = shape.replace("TERM", term(), 1).replace("PART", part(), 1)
    return shape


def generated_queries(count: int, seed: int = 11) -> list[str]:
    """So many that can be read: some generated ones join what cannot be joined."""
    chance, found = random.Random(seed), list[str]()
    while len(found) < count:
        text = generated_query(chance)
        with suppress(QueryError):
            found.append(str(parse_query(text)))
    return found


def keep(conn: Connection, items: Sequence[Item]) -> None:
    for feed in FEEDS.values():
        add_feed(conn, feed)
        own = [item for item in items if item.feed == feed]
        store(conn, feed, own, NOON)


def expected(items: Sequence[Item], query: Query) -> list[Item]:
    """What the judge says of every item, newest first."""
    found = [item for item in items if SINCE < item.sorted_at <= UNTIL and match(query, prepare(item)) is not None]
    return sorted(found, key=lambda item: (-item.sorted_at.timestamp(), item.id))


def assert_agrees(conn: Connection, items: Sequence[Item], text: str) -> bool:
    """Whether there was anything to find."""
    query = parse_query(text)
    found, right = search.find(conn, query, SINCE, UNTIL, limit=1000), expected(items, query)
    days = Counter(item.sorted_at.date() for item in right)
    assert (found.item_ids, found.per_day, found.total, found.exact) == (
        tuple(item.id for item in right), dict(days), len(right), True), text
    return bool(right)


@pytest.mark.parametrize("indexed", ["all", "some", "none"])
def test_a_search_finds_what_the_judge_finds(engine: Engine, indexed: str) -> None:
    items = generated_items(160)
    with engine.begin() as conn:
        keep(conn, items[:120] if indexed == "some" else items)
    if indexed != "none":
        search.index(engine)
    with engine.begin() as conn:
        keep(conn, items)
    with read_only(engine) as conn:
        queries = generated_queries(150 if indexed == "all" else 30)
        hits = sum(assert_agrees(conn, items, query) for query in queries)
    assert hits > len(queries) / 3


def test_what_changed_since_it_was_indexed_is_found_as_it_is_now(engine: Engine) -> None:
    item = an_item(FEEDS["en"], "1", title="Oil prices rise")
    page = Wanted(item.id, item.feed.id, item.url, item.title, "en", 3)
    with engine.begin() as conn:
        keep(conn, [item])
    search.index(engine)
    with engine.begin() as conn:
        store(conn, item.feed, [replace(item, title="Gas prices rise")], NOON)
        claim(conn, [page], NOON)
        record(conn, [Fetched(page, "text", (Block("p", "A drought in Turkestan."),))], NOON)
    for _ in range(2):
        with read_only(engine) as conn:
            found = [search.find(conn, parse_query(text), SINCE, UNTIL).total for text in ("oil", "gas", "drought")]
        assert found == [0, 1, 1]
        assert search.index(engine) in {0, 1}
    with read_only(engine) as conn:
        assert storage.count_pending(conn) == 0


def test_an_index_made_by_other_rules_is_not_asked_and_made_again(engine: Engine) -> None:
    items = generated_items(20)
    with engine.begin() as conn:
        keep(conn, items)
    assert search.index(engine) == 20 and search.index(engine) == 0
    with engine.begin() as conn:
        storage.start_anew(conn, "rules of another release")
        storage.write(conn, [replace(search.entry_of(item), words="gas") for item in items])
    with read_only(engine) as conn:
        assert_agrees(conn, items, "gas OR газ")
    assert search.index(engine) == 20
    with read_only(engine) as conn:
        assert storage.count_pending(conn) == 0
        assert_agrees(conn, items, "gas OR газ")
    assert search.index(engine, anew=True) == 20


def test_forgotten_items_leave_nothing_behind(engine: Engine) -> None:
    items = generated_items(30)
    with engine.begin() as conn:
        keep(conn, items)
    search.index(engine)
    with engine.begin() as conn:
        storage.forget(conn, [item.id for item in items[:20]])
        storage.write(conn, [search.entry_of(item) for item in items[10:20]])
    with read_only(engine) as conn:
        for query in generated_queries(25, seed=3):
            found = search.find(conn, parse_query(query), SINCE, UNTIL, limit=100)
            assert set(found.item_ids) == {item.id for item in expected(items[10:], parse_query(query))}, query


def test_texts_that_the_index_cannot_tell_are_judged(engine: Engine) -> None:
    """PostgreSQL keeps 255 places of a word and 16,383 of a text; letters may fold into several words or signs."""
    items = [
        an_item(FEEDS["en"], "1", title="Repeated", summary="oil " * 300 + "oil pipeline"),
        an_item(FEEDS["en"], "2", title="Long", summary=" ".join(f"w{n}" for n in range(17_000)) + " oil pipeline"),
        an_item(FEEDS["en"], "3", title="One word " + "x" * 5000, summary="oil"),
        an_item(FEEDS["en"], "4", title="⑴ ½ ﷺ ŉ ͺ İ 'quoted' \\ back", summary="C++ & ¬ | (oil) ¶ pipeline :* '"),
        an_item(FEEDS["en"], "5", title="", summary="oil\u200bpipeline\u00a0gas"),
    ]
    with engine.begin() as conn:
        keep(conn, items)
    search.index(engine)
    with read_only(engine) as conn:
        for query in ('"oil pipeline"', "oil", "w16999 NEAR/3 pipeline", "x" * 4999, "x" * 5000, "xxxx*", "⑴", "½", "ﷺ",
                      '"ﷺ ŉ"', "ŉ", "ͺ", "quoted", '"oil pipeline gas"', "oil NOT pipeline", "=pipeline", "back"):
            assert_agrees(conn, items, query)


def test_a_query_that_is_too_broad_is_told_as_more_than_a_number(sqlite_engine: Engine) -> None:
    count = search.MOST_JUDGED + 10
    items = [an_item(FEEDS["en"], str(n), title="Oil and gas", published_at=NOON - timedelta(seconds=n))
             for n in range(count)]
    with sqlite_engine.begin() as conn:
        keep(conn, items)
    search.index(sqlite_engine)
    with read_only(sqlite_engine) as conn:
        near = search.find(conn, parse_query("oil NEAR/2 gas"), SINCE, UNTIL, limit=3)
        both = search.find(conn, parse_query("oil gas"), SINCE, UNTIL, limit=3)
    assert (near.total, near.exact) == (search.MOST_JUDGED, False)
    assert (both.total, both.exact) == (count, True)
    assert near.item_ids == both.item_ids == tuple(item.id for item in items[:3])


def test_many_brackets_inside_each_other_are_asked_for_all_the_same(engine: Engine) -> None:
    items = generated_items(40)
    with engine.begin() as conn:
        keep(conn, items)
    search.index(engine)
    nested = "gas"
    for number in range(20):
        nested = f"({nested} {'OR' if number % 2 else 'AND'} {('oil', 'газ', 'цена')[number % 3]})"
    with read_only(engine) as conn:
        assert_agrees(conn, items, f"{nested} OR gas")
        assert_agrees(conn, items, '"' + "Токаева Астана " * 30 + '" OR газ')


def test_hits_say_why_they_match(sqlite_engine: Engine) -> None:
    item = an_item(FEEDS["en"], "1", title="A deal", summary="It rained. Oil prices rose in Aktau.")
    headline = an_item(a_feed("Closed", body=BodyPolicy.HEADLINE), "2", title="Oil", summary="Oil prices rose again.")
    with sqlite_engine.begin() as conn:
        keep(conn, [item])
        add_feed(conn, headline.feed)
        store(conn, headline.feed, [headline], NOON)
        record_joins(conn, [Join(item.id, item.id, NOON, 1.0)])
    with read_only(sqlite_engine) as conn:
        first, second = search.hits_of(conn, parse_query("price OR oil"), [item.id, headline.id, "gone"])
    assert (first.story_id, first.quote.sentence) == (item.id, "Oil prices rose in Aktau.")
    assert (second.story_id, second.quote.sentence) == (None, "Oil")


def test_two_that_index_at_one_time_index_everything_once(engine: Engine) -> None:
    items = generated_items(1200)
    with engine.begin() as conn:
        keep(conn, items)
    search.index(engine)
    with engine.begin() as conn:
        storage.note(conn, [item.id for item in items])
        storage.note(conn, [item.id for item in items[:100]])
    with ThreadPoolExecutor(2) as pool:
        done = [future.result() for future in [pool.submit(search.index, engine) for _ in range(2)]]
    assert 1200 <= sum(done) <= 1300
    with read_only(engine) as conn:
        assert storage.count_pending(conn) == 0
        for query in generated_queries(10, seed=5):
            found = search.find(conn, parse_query(query), SINCE, UNTIL, limit=2000)
            assert set(found.item_ids) == {item.id for item in expected(items, parse_query(query))}, query
