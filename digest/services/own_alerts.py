"""A reader's own alert rules, seen and changed with the signed link of an alert's mail.

As with newsletters, such a link may set how alerts come and end them, and no more. Rules of the desk, and rules that a
document holds, can only be stopped with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection

from digest.alert_rules import AlertRule, AlertSpec, Cadence, StoryPolicy, alert_mistake
from digest.documents import Configuration
from digest.errors import NotFound, RuleRefused
from digest.mistakes import in_one_line
from digest.query import parse_query
from digest.services import leaving
from digest.storage import alert_rules as storage

WHOLE = "whole"  # a form with this field shows all others: those that do not come are empty
READER = "reader"  # author of what is done with a link
SCALARS = ("query", "cadence", "hour", "zone", "story", "ceiling")  # fields of a form named as a rule's keys are
FIELDS = (*SCALARS, "quiet_from", "quiet_to")


@dataclass(frozen=True, slots=True)
class RuleForm:
    """What the page of a rule shows, in the words of its fields."""

    values: Mapping[str, str]
    cadences: tuple[str, ...] = tuple(Cadence)
    policies: tuple[str, ...] = tuple(StoryPolicy)


def rules_of(conn: Connection, mark: str) -> list[AlertRule]:
    """The rules that the holder of a link may change, by id; none where it is no link of an alert's owner.

    Raises NotFound where the mark names nothing.
    """
    kind, number = leaving.split(mark)
    owner = leaving.owner_of(conn, mark) if kind in ("alert", "alerts") else None
    if owner is None or owner.erased:
        return []
    confirmed = (rule for rule in storage.rules_of(conn, owner.id) if rule.state != "pending")
    return [rule for rule in confirmed
            if not rule.origin.endswith(".toml") and (kind == "alerts" or rule.id == number)]


def rule_of(conn: Connection, mark: str, rule_id: int) -> AlertRule:
    """One of these rules. Raises NotFound where it is none of them."""
    found = next((rule for rule in rules_of(conn, mark) if rule.id == rule_id), None)
    if found is None:
        raise NotFound("alert rule", str(rule_id))
    return found


def form_of(spec: AlertSpec) -> RuleForm:
    """The fields of a rule."""
    values = {"query": spec.query, "cadence": spec.cadence.value, "hour": f"{spec.hour:%H:%M}", "zone": spec.zone,
              "story": spec.story.value, "ceiling": str(spec.ceiling)}
    quiet = spec.quiet
    return RuleForm({**values, "quiet_from": f"{quiet.start:%H:%M}" if quiet else "",
                     "quiet_to": f"{quiet.end:%H:%M}" if quiet else ""})


def spec_of(values: Mapping[str, str], configuration: Configuration, before: AlertSpec | None = None) -> AlertSpec:
    """The rule that the fields of a form say; what they do not name is as `before`, or empty in a `WHOLE` form.

    Raises QueryError, and RuleRefused for all else.
    """
    whole = WHOLE in values
    parse_query(values.get("query", "" if whole or before is None else before.query), names=configuration.names)
    said: dict[str, Any] = {name: values[name].strip() for name in SCALARS if values.get(name, "").strip()}
    wanted = {**(before.model_dump() if before else {}), **said, **(_quiet(values, before) if whole else {})}
    try:
        spec = AlertSpec.model_validate(wanted)
    except ValidationError as error:
        raise RuleRefused("", in_one_line(error)) from error
    if wrong := alert_mistake(spec, configuration.names, configuration.newsletters, configuration.sources):
        raise RuleRefused(wrong[0], wrong[1])
    return spec


def save(conn: Connection, rule: AlertRule, spec: AlertSpec, *, paused: bool, now: datetime) -> None:
    """Makes the rule say `spec`, as its next version where that is something else, and pauses or resumes it.

    Idempotent. Raises RuleRefused where somebody else changed the rule meanwhile.
    """
    if spec != rule.spec and not storage.set_spec(conn, rule, spec, READER, now):
        raise RuleRefused("", "the alert was changed meanwhile: look at it again")
    storage.set_state(conn, rule.id, "paused" if paused else "active", now)


def _quiet(values: Mapping[str, str], before: AlertSpec | None) -> dict[str, Any]:
    start, end = values.get("quiet_from", "").strip(), values.get("quiet_to", "").strip()
    if not start and not end:
        return {"quiet": None}
    passes = before.quiet.passes if before and before.quiet else ""
    return {"quiet": {"start": start, "end": end, "passes": passes}}
