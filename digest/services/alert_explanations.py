"""Why a rule finds an item or does not, and what it would have told of its story."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from digest.alert_rules import AlertRule, AlertSpec
from digest.documents import Configuration
from digest.errors import NotFound
from digest.model import Item
from digest.pipeline.alert_matching import KnownRule
from digest.pipeline.alert_policy import Firing, Surroundings
from digest.pipeline.story_conditions import facts_of
from digest.query import holds, parse_query, story_conditions
from digest.query.near_misses import Judged, judge
from digest.query.tree import Condition
from digest.services import search
from digest.services.alert_trials import INSTANT, TRIAL, fire
from digest.storage.engine import read_only
from digest.storage.items import find_items, items_by_id
from digest.storage.stories import story_by_id, story_of

LIMITS = ("regions", "newsletters", "sources", "languages")


@dataclass(frozen=True, slots=True)
class Explanation:
    """An item beside a rule. `alerts` are those that the rule would have given of the item's story since `since`.

    `outside` are the limits of the rule that the item is not within; `conditions` say whether its story is as the query
    asks, as it stands now.
    """

    item: Item
    story_id: str | None
    clauses: tuple[Judged, ...]
    outside: tuple[str, ...]
    conditions: tuple[tuple[Condition, bool], ...]
    since: datetime
    alerts: tuple[Firing, ...]

    @property
    def matches(self) -> bool:
        """Whether the rule's query matches the item and its limits let it in; its story is another matter."""
        return not self.outside and all(clause.fulfilled for clause in self.clauses)


def explain_item(engine: Engine, spec: AlertSpec, configuration: Configuration, reference: str, *, since: datetime,
                 now: datetime, zone: str = "UTC") -> Explanation:
    """Why a rule that says `spec` finds an item, by its id or address, or which clause fails.

    Raises QueryError, and NotFound where there is no such item.
    """
    tree = parse_query(spec.query, names=configuration.names)
    search.index(engine)
    rule = _rule(spec, configuration, since)
    query, conditions = story_conditions(tree)
    with read_only(engine) as conn:
        item = _item(conn, reference)
        story_id = story_of(conn, item.id)
        fired = fire(conn, rule, tree, (since, now), Surroundings(zone, configuration.names))
        facts = facts_of(story_by_id(conn, story_id), now) if story_id else None
    return Explanation(
        item, story_id, judge(query, rule.text_of(item)), _outside(spec, configuration, item),
        tuple((one, facts is not None and holds([one], facts)) for one in conditions), since,
        tuple(firing for firing in fired.firings if story_id and fired.stories.get(firing.item.id) == story_id))


def _rule(spec: AlertSpec, configuration: Configuration, since: datetime) -> KnownRule:
    return KnownRule(AlertRule(TRIAL, "trial", None, spec, 1, since, since + INSTANT), configuration)


def _item(conn: Connection, reference: str) -> Item:
    found = items_by_id(conn, [reference]).get(reference) or next(iter(find_items(conn, reference)), None)
    if found is None:
        raise NotFound("item", reference, hint="give its address, or its id as `digest search --json` shows it")
    return found


def _outside(spec: AlertSpec, configuration: Configuration, item: Item) -> tuple[str, ...]:
    return tuple(key for key in LIMITS if (wanted := getattr(spec, key)) and not _rule(
        AlertSpec(query=spec.query, **{key: wanted}), configuration, item.first_seen_at).in_scope(item))
