"""Alert rules: made, changed, paused and removed by their names, and mirrored from documents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from digest.alert_rules import COMMAND, MAIL, AlertEntry, AlertRule, AlertSpec
from digest.errors import ConfigError, NameTaken, NotFound, RuleInDocument
from digest.services import subscribers
from digest.storage import alert_rules as storage
from digest.storage.alert_rules import NewRule
from digest.storage.alerts import record_flag
from digest.storage.stories import story_by_id

OPERATOR = "operator"  # author of what is done by command


def add(conn: Connection, name: str, spec: AlertSpec, email: str | None, now: datetime, *,
        consent_source: str = OPERATOR, to: Sequence[str] = (), author: str = OPERATOR,
        origin: str = COMMAND) -> AlertRule:
    """A new active rule that mails its owner, and the addresses `to` as well.

    The owner becomes a subscriber where the address is new; `email` None makes a rule of the desk. Adding the same
    rule again changes nothing. Raises AddressRefused, or NameTaken where another rule has the name.
    """
    owner = subscribers.ensure(conn, email, consent_source, now) if email else None
    addresses = [owner.email] if owner else []
    addresses += [subscribers.ensure(conn, one, consent_source, now).email for one in to]
    channels = [(MAIL, address) for address in dict.fromkeys(addresses)]
    storage.insert_rule(conn, NewRule(name, owner.id if owner else None, spec, channels, author, origin), now)
    rule = find(conn, name)
    if (rule.spec, rule.owner) != (spec, owner):
        raise NameTaken("alert rule", name, "choose another name, or remove that rule first")
    return rule


def find(conn: Connection, name: str) -> AlertRule:
    """The rule of a name. Raises NotFound with the names that there are."""
    rule = storage.rule_by_name(conn, name)
    if rule is None or rule.state == "removed":
        known = tuple(rule.name for rule in storage.rules(conn, "active", "paused"))
        raise NotFound("alert rule", name, known)
    return rule


def edit(conn: Connection, name: str, changes: Mapping[str, Any], author: str, now: datetime) -> AlertRule:
    """The rule with other values, as its next version; nothing where they are what it says already.

    Raises NotFound, RuleInDocument where a document holds the rule, and pydantic's ValidationError.
    """
    rule = find(conn, name)
    _check_own(rule)
    spec = AlertSpec.model_validate({**rule.spec.model_dump(), **changes})
    if spec != rule.spec:
        storage.set_spec(conn, rule, spec, author, now)
    return find(conn, name)


def pause(conn: Connection, name: str, now: datetime) -> AlertRule:
    """Stops a rule until it is resumed; what happens meanwhile is not caught up. Idempotent; raises NotFound."""
    storage.set_state(conn, find(conn, name).id, "paused", now)
    return find(conn, name)


def resume(conn: Connection, name: str, now: datetime) -> AlertRule:
    """Makes a paused rule fire again, from now on. Idempotent; raises NotFound."""
    storage.set_state(conn, find(conn, name).id, "active", now)
    return find(conn, name)


def remove(conn: Connection, name: str) -> AlertRule:
    """Ends a rule for good; its name may be given again. Returns it as it was.

    Raises NotFound, and RuleInDocument where a document would bring it back.
    """
    rule = find(conn, name)
    _check_own(rule)
    storage.remove_rule(conn, rule.id)
    return rule


@dataclass(frozen=True, slots=True)
class Mirrored:
    """How many rules documents added, changed and took away."""

    added: int = 0
    changed: int = 0
    removed: int = 0


def mirror(conn: Connection, documents: Mapping[str, Sequence[AlertEntry]], version: int, now: datetime) -> Mirrored:
    """Makes the desk's rules say what the documents of config/alerts/ say, by path. Idempotent.

    A rule whose entry is gone is removed; who stopped an alert is not mailed again because a document names them.
    Raises ConfigError where a rule that no document holds has the name, and AddressRefused.
    """
    standing = {rule.name: rule for rule in storage.rules(conn, "active", "paused")}
    wanted = {entry.name: (path, entry) for path, entries in documents.items() for entry in entries}
    done = Mirrored()
    for rule in standing.values():
        if rule.origin.endswith(".toml") and rule.name not in wanted:
            storage.remove_rule(conn, rule.id)
            done = Mirrored(done.added, done.changed, done.removed + 1)
    author = f"configuration {version}"
    for name, (path, entry) in wanted.items():
        rule_standing = standing.get(name)
        if rule_standing is None:
            add(conn, name, entry.spec, None, now, consent_source=path, to=entry.to, author=author, origin=path)
            done = Mirrored(done.added + 1, done.changed, done.removed)
        elif not rule_standing.origin.endswith(".toml"):
            raise ConfigError(path, f"another alert rule is called {name!r}",
                              hint="it was made by command; rename one of them, or: digest alerts remove")
        elif _update(conn, rule_standing, entry, author, now):
            done = Mirrored(done.added, done.changed + 1, done.removed)
    return done


def _update(conn: Connection, rule: AlertRule, entry: AlertEntry, author: str, now: datetime) -> bool:
    channels = [(MAIL, subscribers.ensure(conn, one, rule.origin, now).email) for one in entry.to]
    storage.drop_channels(conn, rule.id, channels)
    storage.add_channels(conn, rule.id, channels, now)
    return entry.spec != rule.spec and storage.set_spec(conn, rule, entry.spec, author, now)


def _check_own(rule: AlertRule) -> None:
    if rule.origin.endswith(".toml"):
        raise RuleInDocument(rule.name, rule.origin)


def import_entry(conn: Connection, entry: AlertEntry, now: datetime, *, desk: bool = False) -> str:
    """Adds the rule of an entry, or makes the rule of its name say the same: "added", "changed" or "unchanged".

    The first address owns the rule, unless it is the desk's. Raises AddressRefused and RuleInDocument.
    """
    known = storage.rule_by_name(conn, entry.name)
    if known is None or known.state == "removed":
        owner, others = (None, entry.to) if desk else (entry.to[0], entry.to[1:])
        add(conn, entry.name, entry.spec, owner, now, to=others)
        return "added"
    _check_own(known)
    new = storage.add_channels(conn, known.id, [
        (MAIL, subscribers.ensure(conn, one, OPERATOR, now).email) for one in entry.to], now)
    if entry.spec == known.spec:
        return "changed" if new else "unchanged"
    storage.set_spec(conn, known, entry.spec, OPERATOR, now)
    return "changed"


def flag_story(conn: Connection, story_id: str, now: datetime) -> str:
    """Notes that an editor says a story develops, and returns its title. Raises NotFound."""
    story = story_by_id(conn, story_id)
    record_flag(conn, story.id, now)
    return story.items[0].title
