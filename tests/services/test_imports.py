"""Importing and exporting subscribers, on both databases."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from digest.documents import Configuration, read_configuration
from digest.model import Frequency, Subscription
from digest.pipeline.subscriber_rows import COLUMNS, Row
from digest.services import bounces, imports, sign_ups, subscribers
from digest.services.imports import Plan
from digest.settings import SignUpSettings
from digest.storage.config import mirror
from tests.services.readers import NOW, confirm, notices, sign_up, token_of

DOCUMENT = 'name = "{name}"\nregion = "R"\nregions = ["R"]\nread = ["en", "ru"]\n'


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return read_configuration({f"newsletters/{slug}.toml": DOCUMENT.format(name=slug.title())
                               for slug in ("kazakhstan", "kyrgyzstan")})


@pytest.fixture
def world(engine: Engine, configuration: Configuration) -> Engine:
    with engine.begin() as conn:
        mirror(conn, configuration, NOW)
    return engine


@pytest.fixture
def plan(configuration: Configuration) -> Plan:
    return Plan(configuration, SignUpSettings(), consent="form on our old site", newsletter="kazakhstan")


def take(world: Engine, plan: Plan, *rows: dict[str, str], now: datetime = NOW) -> list[tuple[str, str]]:
    """Outcomes and reasons of rows, which are numbered from 2."""
    found = list(imports.take(world, [Row(n, row) for n, row in enumerate(rows, 2)], plan, now))
    assert [o.number for o in found] == list(range(2, len(rows) + 2))
    return [(o.outcome, o.reason) for o in found]


def stored(world: Engine, newsletter: str = "kazakhstan") -> dict[str, Subscription]:
    with world.begin() as conn:
        return {s.subscriber.email: s for s in subscribers.subscriptions_to(conn, newsletter)}


def test_each_row_has_an_outcome_and_importing_twice_changes_nothing(world: Engine, plan: Plan) -> None:
    rows = ({"email": "A@x.org"}, {"email": "b@x.org", "state": "unsubscribed"},
            {"email": "c@x.org", "newsletter": "moon"}, {"email": "nobody"},
            {"email": "d@mailinator.com"}, {"email": "e@x.org", "state": "bounced"},
            {"email": "f@x.org", "hour": "99"}, {"email": "a@x.org"}, {"email": "g@x.org", "since": "soon"})
    first = take(world, plan, *rows)
    assert [outcome for outcome, _ in first] == [
        "added", "left", "refused", "refused", "refused", "refused", "refused", "known", "refused"]
    reasons = [reason for _, reason in first]
    assert "no newsletter 'moon'" in reasons[2] and "one @" in reasons[3] and "throw-away" in reasons[4]
    assert "neither active nor left" in reasons[5] and "hour" in reasons[6] and "since" in reasons[8]
    before = stored(world)
    assert {email: s.state for email, s in before.items()} == {"a@x.org": "active", "b@x.org": "left"}
    assert before["a@x.org"].subscriber.consent_source == "form on our old site"
    assert [outcome for outcome, _ in take(world, plan, *rows)][:2] == ["known", "left"]
    assert stored(world) == before


def test_preferences_consent_and_dates_come_along(world: Engine, plan: Plan) -> None:
    take(world, plan, {
        "email": "a@x.org", "newsletter": "kyrgyzstan", "consent": "paper form 12", "since": "2020-05-01",
        "frequency": "weekdays", "hour": "07:30", "zone": "Asia/Bishkek", "language": "ky", "read": "ru",
        "hidden_sections": "brief", "format": "text", "paused_until": "2023-04-01"})
    own = stored(world, "kyrgyzstan")["a@x.org"]
    assert (own.subscriber.consent_source, own.created_at) == ("paper form 12", datetime(2020, 5, 1, tzinfo=UTC))
    kept = own.preferences
    assert (kept.frequency, kept.hour, kept.zone, kept.language, kept.read, kept.format, kept.paused_until) == (
        Frequency.WEEKDAYS, "07:30", "Asia/Bishkek", "ky", ("ru",), "text", date(2023, 4, 1))
    assert own.hidden_sections == ("brief",)


def test_who_left_stays_away_until_they_come_back(world: Engine, plan: Plan, configuration: Configuration) -> None:
    take(world, plan, {"email": "a@x.org"})
    with world.begin() as conn:
        subscribers.remove(conn, "a@x.org", NOW)
    assert take(world, plan, {"email": "a@x.org"}) == [("stays away", "")]
    assert stored(world)["a@x.org"].state == "left"
    again = Plan(configuration, SignUpSettings(), "letter", "kazakhstan", again=True)
    assert take(world, again, {"email": "a@x.org"}) == [("came back", "")]
    assert stored(world)["a@x.org"].state == "active"


def test_a_row_that_says_left_ends_what_they_get(world: Engine, plan: Plan) -> None:
    take(world, plan, {"email": "a@x.org"}, {"email": "b@x.org"})
    assert take(world, plan, {"email": "a@x.org", "state": "left"}, {"email": "c@x.org"},
                {"email": "c@x.org", "state": "left"}, {"email": "c@x.org"}) == [
        ("ended", ""), ("added", ""), ("ended", ""), ("stays away", "")]
    assert {email: s.state for email, s in stored(world).items()} == {
        "a@x.org": "left", "b@x.org": "active", "c@x.org": "left"}


def test_who_is_suppressed_is_not_taken(world: Engine, plan: Plan) -> None:
    with world.begin() as conn:
        bounces.suppress(conn, "a@x.org", "complained", NOW)
    assert take(world, plan, {"email": "a@x.org"}) == [("refused", "is on the suppression list")]
    assert stored(world) == {}


def test_who_asked_and_did_not_confirm_has_the_consent_of_the_import(world: Engine, plan: Plan) -> None:
    sign_up(world, "a@x.org")
    assert stored(world)["a@x.org"].subscriber.consent_source == "unconfirmed"
    assert take(world, plan, {"email": "a@x.org"}) == [("added", "")]
    own = stored(world)["a@x.org"]
    assert (own.state, own.subscriber.consent_source) == ("active", "form on our old site")
    confirm(world, token_of(notices(world)[0]))
    assert stored(world)["a@x.org"].subscriber.consent_source == sign_ups.DOUBLE_OPT_IN


def test_a_row_without_a_source_of_consent_is_refused(world: Engine, configuration: Configuration) -> None:
    plan = Plan(configuration, SignUpSettings(), newsletter="kazakhstan")
    assert take(world, plan, {"email": "a@x.org"}) == [("refused", "says no source of consent")]


def test_a_dry_run_tells_and_stores_nothing(world: Engine, configuration: Configuration) -> None:
    plan = Plan(configuration, SignUpSettings(), "form", "kazakhstan", dry=True)
    assert take(world, plan, {"email": "a@x.org"}, {"email": "nobody"})[0] == ("added", "")
    assert stored(world) == {}


def test_more_than_a_batch_is_taken_in_parts_that_stay(world: Engine, plan: Plan) -> None:
    rows = [Row(n, {"email": f"r{n}@x.org"}) for n in range(imports.BATCH + 50)]
    outcomes = imports.take(world, rows, plan, NOW)
    assert next(outcomes).outcome == "added"
    outcomes.close()  # interrupted: the first part stays
    assert len(stored(world)) == imports.BATCH
    again = [o.outcome for o in imports.take(world, rows, plan, NOW)]
    assert (again.count("known"), again.count("added")) == (imports.BATCH, 50)


def test_an_export_is_taken_back_as_it_was(world: Engine, plan: Plan) -> None:
    take(world, plan, {"email": "анна@пример.рф", "hour": "06:00", "zone": "Europe/Berlin", "read": "ru"},
         {"email": "b@x.org", "state": "left", "since": "2021-01-01"}, {"email": "c@x.org", "newsletter": "kyrgyzstan"})
    given = export(world)
    assert [row["email"] for row in given] == ["анна@xn--e1afmkfd.xn--p1ai", "b@x.org", "c@x.org"]
    assert all(set(row) == set(COLUMNS) for row in given)
    before = stored(world) | stored(world, "kyrgyzstan")
    outcomes = take(world, Plan(plan.configuration, SignUpSettings()), *given, now=NOW + timedelta(days=1))
    assert [outcome for outcome, _ in outcomes] == ["known", "left", "known"]
    assert stored(world) | stored(world, "kyrgyzstan") == before
    assert [row["email"] for row in export(world, "kazakhstan", "left")] == ["b@x.org"]


def export(world: Engine, *which: str) -> Sequence[dict[str, str]]:
    with world.begin() as conn:
        return list(imports.give(conn, *which))
