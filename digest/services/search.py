"""Search over the archive: what a query matches, by the same `match` that topics and alert rules are decided with.

    poll, article text ─▶ notes ─▶ `index` ─▶ search table
    query ─▶ plan ─▶ index finds matches, or candidates ─▶ judge ─▶ items, counts per day
"""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache, partial
from importlib.resources import files

import Stemmer
from sqlalchemy import Connection, Engine

from digest.model import BodyPolicy, Item
from digest.query.conditions import story_conditions
from digest.query.match import MatchText, match, prepare
from digest.query.match import find as find_places
from digest.query.prefilter import Archive, Node, plan
from digest.query.quote import Quote, quote
from digest.query.stored import Judge, can_judge, stored_words
from digest.query.texts import prepare_text
from digest.query.tree import Field, Query
from digest.storage import search as storage
from digest.storage import search_results as results
from digest.storage.engine import read_only
from digest.storage.items import items_by_id
from digest.storage.search import SearchEntry
from digest.storage.search_index import index_of
from digest.storage.search_results import Candidate, Window
from digest.storage.stories import story_of

MOST_JUDGED = 5_000  # candidates of one search
AT_A_TIME = 500  # items indexed in one transaction, or read at a time to be judged
WORDS_ARE_MADE_BY = (("digest.text", ""), ("digest.query", "terms.py"), ("digest.query", "texts.py"),
                     ("digest.query", "stored.py"))

Match = tuple[datetime, str, date]  # of an item that matches: its time, its id, its day in UTC


@dataclass(frozen=True, slots=True)
class Found:
    """What a query matches. `item_ids` are the newest matches, newest first; `per_day` counts all, by UTC day.

    `exact` False: there are more than `total`, for the query is too broad to look at every candidate.
    """

    item_ids: tuple[str, ...]
    per_day: Mapping[date, int]
    total: int
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Glance:
    """Some items that a query matches; `whole`: there are no others."""

    item_ids: tuple[str, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """An item that a query matches, and the sentence that shows why. `story_id` is None where it has no story yet."""

    item: Item
    story_id: str | None
    quote: Quote


def index(engine: Engine, *, anew: bool = False, on_progress: Callable[[int], None] | None = None) -> int:
    """Indexes all items that are new or have changed; returns how many. Running it twice or late changes nothing.

    Where the index was made by other rules for words, all of it is made again (`anew`: in any case). Short
    transactions, so that nobody waits for long; `on_progress` is told how many notes are left.
    """
    with read_only(engine) as conn:
        is_stale = storage.is_stale(conn, stamp())
    if is_stale or anew:
        with engine.begin() as conn:
            storage.hold(conn)
            storage.start_anew(conn, stamp())
    done = 0
    while left := _count_pending(engine):
        if on_progress:
            on_progress(left)
        done += _index_some(engine)
    return done


def _count_pending(engine: Engine) -> int:
    with read_only(engine) as conn:
        return storage.count_pending(conn)


def _index_some(engine: Engine) -> int:
    """Reads without keeping others from writing. Notes that somebody else has settled meanwhile are left to them."""
    with read_only(engine) as conn:
        ids, numbers = storage.pending(conn, AT_A_TIME)
        found = items_by_id(conn, ids)
    entries = [entry_of(found[id_]) for id_ in reversed(ids) if id_ in found]
    with engine.begin() as conn:
        storage.hold(conn)
        if not storage.are_pending(conn, numbers):
            return 0
        storage.write(conn, entries)
        storage.settle(conn, numbers)
    return len(entries)


def entry_of(item: Item) -> SearchEntry:
    """What the search table keeps of an item."""
    return SearchEntry(item.id, item.feed.id, item.language, item.sorted_at, item.backlog, stored_words(item))


@cache
def stamp() -> str:
    """A hash of the rules by which texts become words and stems: an index of another stamp is made again."""
    digest = hashlib.sha256(f"{Stemmer.version()} {unicodedata.unidata_version}".encode())
    for package, name in WORDS_ARE_MADE_BY:
        modules = sorted(files(package).iterdir(), key=lambda module: module.name)
        for module in modules:
            if module.name.endswith(name or ".py"):
                digest.update(module.read_bytes())
    return digest.hexdigest()[:16]


def find(conn: Connection, query: Query, since: datetime, until: datetime, *, limit: int = 50,
         prepared: Callable[[Item], MatchText] = prepare, by_sight: bool = False) -> Found:
    """What `query` matches among items published (else first seen) after `since` up to `until`; with `by_sight` among
    those first seen then.

    Agrees with `match(query, prepared(item))` of each item; conditions on stories are taken to hold. What is not
    indexed yet is judged as well.
    """
    query, _ = story_conditions(query)
    is_stale = storage.is_stale(conn, stamp())
    window = Window(since, until, is_stale or storage.count_pending(conn) > 0, by_sight)
    unindexed = results.unindexed(conn, window, everything=is_stale) if window.waiting else []
    late = list(_judged_items(conn, query, unindexed, prepared))
    if is_stale:
        return _found(late, limit)
    asked = plan(query, _archive(conn))
    if asked.exact:
        return _counted(conn, query, asked.node, window, late, limit, prepared)
    candidates = _newest_first(results.candidates(conn, asked.node, window, MOST_JUDGED + 1))
    matches = [*_judged(conn, query, candidates[:MOST_JUDGED], prepared), *late]
    return _found(matches, limit, exact=len(candidates) <= MOST_JUDGED)


def _counted(conn: Connection, query: Query, node: Node, window: Window, late: Sequence[Match], limit: int,
             prepared: Callable[[Item], MatchText]) -> Found:
    """What the index finds by itself, with the few that it cannot tell of."""
    others = [*_judged(conn, query, results.untold(conn, window), prepared), *late]
    matches = results.some_matches(conn, node, window, MOST_JUDGED + 1)
    if len(matches) <= MOST_JUDGED:
        return _found([*matches, *others], limit)
    days = Counter(results.matches_by_day(conn, node, window)) + Counter(day for _, _, day in others)
    newest = _newest([*results.newest_matches(conn, node, window, limit), *others])
    return Found(tuple(item_id for _, item_id, _ in newest[:limit]), dict(sorted(days.items())), days.total())


def glance(conn: Connection, query: Query, since: datetime, until: datetime, *, most: int,
           prepared: Callable[[Item], MatchText] = prepare) -> Glance:
    """Which of the latest candidates a query matches, published (else first seen) between two instants.

    Looks at no more than `most`, and at nothing that is not indexed: for hints, where `find` would count.
    """
    asked = plan(query, _archive(conn))
    candidates = results.latest_candidates(conn, asked.node, Window(since, until), most)
    judged = ((one.at, one.item_id, one.day) for one in candidates) if asked.exact else _judged(
        conn, query, candidates, prepared)
    return Glance(tuple(item_id for _, item_id, _ in judged), len(candidates) < most)


def words_of_some(conn: Connection, query: Query, since: datetime, until: datetime, *,
                  most: int) -> Iterator[tuple[str, str]]:
    """The folded words of the latest candidates of a query with their language, each word of an item once."""
    node = plan(query, _archive(conn)).node
    for candidate in results.latest_candidates(conn, node, Window(since, until), most):
        yield from ((word, candidate.language) for word in set(candidate.words.split()))


def hits_of(conn: Connection, query: Query, item_ids: Sequence[str], *,
            prepared: Callable[[Item], MatchText] = prepare) -> tuple[Hit, ...]:
    """The items of a search in its order, with the words that match."""
    items = items_by_id(conn, item_ids)
    return tuple(hit_of(query, items[item_id], story_of(conn, item_id), prepared)
                 for item_id in item_ids if item_id in items)


def hit_of(query: Query, item: Item, story_id: str | None, prepared: Callable[[Item], MatchText] = prepare) -> Hit:
    """An item that a query matches, with the words that match."""
    text = prepared(item)
    title_only = item.feed.body is BodyPolicy.HEADLINE
    return Hit(item, story_id, quote(text, match(query, text) or (), title_only=title_only))


def _archive(conn: Connection) -> Archive:
    return Archive(storage.languages(conn), index_of(conn).one_place, partial(_feeds_with, conn))


def _feeds_with(conn: Connection, field: Field) -> list[str]:
    """The feeds whose source a field names."""
    sources = results.feed_sources(conn)
    known = {feed_id: prepare_text((), values={"source": (source.slug, source.name), "family": (source.family,)})
             for feed_id, source in sources.items()}
    return [feed_id for feed_id, text in known.items() if find_places(field, text, None) is not None]


def _judged(conn: Connection, query: Query, candidates: Sequence[Candidate],
            prepared: Callable[[Item], MatchText]) -> Iterator[Match]:
    """Those of the candidates that match, in their order; by their stored words where these are enough."""
    if not can_judge(query):
        return _judged_items(conn, query, [candidate.item_id for candidate in candidates], prepared)
    judge = Judge(query)
    return ((candidate.at, candidate.item_id, candidate.day) for candidate in candidates
            if judge.matches(candidate.words, candidate.language))


def _judged_items(conn: Connection, query: Query, ids: Sequence[str],
                  prepared: Callable[[Item], MatchText]) -> Iterator[Match]:
    for start in range(0, len(ids), AT_A_TIME):
        chunk = ids[start:start + AT_A_TIME]
        items = items_by_id(conn, chunk)
        for item in (items[item_id] for item_id in chunk if item_id in items):
            if find_places(query, prepared(item), None) is not None:
                yield item.sorted_at, item.id, item.sorted_at.astimezone(UTC).date()


def _found(matches: Sequence[Match], limit: int, *, exact: bool = True) -> Found:
    days = Counter(day for _, _, day in matches)
    newest = tuple(item_id for _, item_id, _ in _newest(matches)[:limit])
    return Found(newest, dict(sorted(days.items())), len(matches), exact)


def _newest_first(candidates: Sequence[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda candidate: (-candidate.at.timestamp(), candidate.item_id))


def _newest(matches: Sequence[Match]) -> list[Match]:
    return sorted(matches, key=lambda match: (-match[0].timestamp(), match[1]))
