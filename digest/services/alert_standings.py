"""How alert rules do: what they told, what people said of it, and whether a silence is the topic's or a feed's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from digest.alert_rules import AlertRule, Channel
from digest.model import Feed
from digest.pipeline.alert_silence import is_odd, silent_days, usual_gap_days
from digest.services import feed_health
from digest.services.feed_health import Standing
from digest.storage import alert_rules as rule_storage
from digest.storage import alerts as storage
from digest.storage.alerts import Counts


@dataclass(frozen=True, slots=True)
class RuleStanding:
    """A rule and what it did; `counts` None: no alert yet. Feeds are looked at only where a silence is odd."""

    rule: AlertRule
    channels: tuple[Channel, ...]
    counts: Counts | None
    silent_days: int
    usual_gap_days: float | None
    is_silent: bool  # three times as long as it usually is, and it is active
    feeds_well: int = 0
    feeds_in_trouble: tuple[Standing, ...] = ()


def of_rules(conn: Connection, rules: Sequence[AlertRule], feeds: Sequence[Feed], now: datetime) -> list[RuleStanding]:
    """The standings of rules, in their order. `feeds` are those of the configuration."""
    ids = [rule.id for rule in rules]
    counts, times = storage.counts(conn, ids), storage.alert_times(conn, ids)
    channels = rule_storage.channels_of(conn, ids)
    found = []
    for rule in rules:
        own = times.get(rule.id, [])
        odd = rule.state == "active" and is_odd(own, rule.since, now)
        health = feed_health.standings(conn, _in_scope(rule, feeds), now) if odd else []
        trouble = tuple(one for one in health if one.needs_care)
        found.append(RuleStanding(
            rule, tuple(channels.get(rule.id, ())), counts.get(rule.id), silent_days(own, rule.since, now),
            usual_gap_days(own), odd, len(health) - len(trouble), trouble))
    return found


def _in_scope(rule: AlertRule, feeds: Sequence[Feed]) -> list[Feed]:
    """The feeds whose items the rule may match, as far as their entries say."""
    spec = rule.spec
    return [feed for feed in feeds
            if (not spec.sources or feed.source.slug in spec.sources)
            and (not spec.languages or feed.language is None or feed.language in spec.languages)]
