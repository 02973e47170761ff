"""What bounces mean for a reader: points that fade, and the suppression list."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine

from digest.services import bounces

NOW = datetime(2026, 3, 20, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
READER = "aigul@example.org"
UNKNOWN = (550, "5.1.1", "No such user here")


def refuse(conn: Connection, days: float, reply: tuple[int | None, str | None, str] = UNKNOWN) -> None:
    """A refusal of the edition of that day."""
    code, enhanced, text = reply
    now = NOW + days * DAY
    bounces.note_refusal(conn, target=READER, subject=f"edition:kz/{now:%Y-%m-%d}", code=code, enhanced=enhanced,
                         text=text, now=now)


def test_one_unknown_mailbox_is_a_warning_and_a_second_day_suppresses(engine: Engine) -> None:
    with engine.begin() as conn:
        refuse(conn, 0)
        assert bounces.suppressed(conn, READER) is None
        refuse(conn, 1)
        assert bounces.suppressed(conn, READER) == "bounced: user-unknown 5.1.1 No such user here"
        assert bounces.suppressed(conn, "other@example.org") is None


def test_a_delivery_counts_once_and_so_does_a_day(engine: Engine) -> None:
    with engine.begin() as conn:
        refuse(conn, 0)
        refuse(conn, 0)
        bounces.note_refusal(conn, target=READER, subject="bundle:7", code=550, enhanced="5.1.1", text="", now=NOW)
        assert bounces.score(conn, READER, NOW) == 1.0
        assert len(bounces.recent(conn, limit=10)) == 2


def test_points_fade_by_half_in_two_weeks(engine: Engine) -> None:
    with engine.begin() as conn:
        refuse(conn, 0)
        assert bounces.score(conn, READER, NOW + 14 * DAY) == pytest.approx(0.5)
        refuse(conn, 15)
        assert bounces.suppressed(conn, READER) is None


@pytest.mark.parametrize("reply", [
    (550, "5.7.1", "User unknown; blocked"),  # X.7 is about our mail, whatever the text says
    (554, None, "Message rejected as spam by content filtering"),
    (550, None, "Permanent failure"),  # permanent, without a reason that names the mailbox
    (451, "4.3.0", "Try again later"),
    (None, None, ""),
])
def test_what_does_not_name_the_mailbox_never_counts(
    engine: Engine, reply: tuple[int | None, str | None, str]
) -> None:
    with engine.begin() as conn:
        for day in range(60):
            refuse(conn, day, reply)
        assert bounces.suppressed(conn, READER) is None
        assert bounces.score(conn, READER, NOW + 60 * DAY) == 0


def test_a_full_mailbox_is_given_more_than_a_week(engine: Engine) -> None:
    with engine.begin() as conn:
        days = 0
        while bounces.suppressed(conn, READER) is None:
            refuse(conn, days, (552, "5.2.2", "Mailbox full"))
            days += 1
    assert 7 < days < 14


def test_an_operator_suppresses_and_lifts_and_old_points_are_gone(engine: Engine) -> None:
    with engine.begin() as conn:
        refuse(conn, 0)
        refuse(conn, 1)
        assert not bounces.suppress(conn, READER, "asked by telephone", NOW)
        assert bounces.lift(conn, READER, NOW + 2 * DAY)
        assert not bounces.lift(conn, READER, NOW + 2 * DAY)
        assert bounces.suppressed(conn, READER) is None
        refuse(conn, 3)
        assert bounces.suppressed(conn, READER) is None
        assert bounces.suppress(conn, READER, "asked by telephone", NOW + 4 * DAY)
        assert bounces.suppressed(conn, READER) == "operator: asked by telephone"
        assert [s.target for s in bounces.suppressions(conn)] == [READER]


def test_erasing_leaves_nothing(engine: Engine) -> None:
    with engine.begin() as conn:
        refuse(conn, 0)
        refuse(conn, 1)
        bounces.forget(conn, READER)
        assert bounces.recent(conn, limit=10, target=READER) == []
        assert bounces.suppressions(conn) == []
