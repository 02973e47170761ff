"""What a failed attempt means for its row."""

from datetime import UTC, datetime, timedelta

import pytest

from digest.errors import DeliveryError
from digest.model import Delivery, DeliveryState, Message
from digest.services import leaving
from digest.services.outcomes import Outcome, judge

NOW = datetime(2023, 3, 20, 2, 0, tzinfo=UTC)
TO = "a@b.example"
DEFERRED, FAILED, UNCERTAIN = DeliveryState.DEFERRED, DeliveryState.FAILED, DeliveryState.UNCERTAIN


def delivery(attempts: int = 1) -> Delivery:
    return Delivery(1, "edition:kazakhstan/2023-03-20", "mail", TO, DeliveryState.SENDING, "claimed", "id@x",
                    Message("s", "h", "t"), leaving.TEST, NOW, attempts, None)


@pytest.mark.parametrize(("error", "written", "state", "code"), [
    (DeliveryError(TO, "450 busy", code=450), False, DEFERRED, None),
    (DeliveryError(TO, "450 busy", code=450), True, DEFERRED, None),  # refused at its end: not handed over
    (DeliveryError(TO, "421 closing", code=421, server=True), True, DEFERRED, None),
    (DeliveryError(TO, "554 to MAIL", code=554), False, DEFERRED, None),  # about us, and may pass
    (DeliveryError(TO, "no session", server=True), False, DEFERRED, None),
    (DeliveryError(TO, "connection lost"), False, DEFERRED, None),
    (DeliveryError(TO, "connection lost"), True, UNCERTAIN, None),
    (DeliveryError(TO, "550 5.1.1 no such user", code=550, enhanced="5.1.1", permanent=True), False, FAILED, 550),
    (DeliveryError(TO, "554 5.7.1 refused", code=554, enhanced="5.7.1", permanent=True), True, FAILED, 554),
    (DeliveryError(TO, "cannot be written", permanent=True), False, FAILED, None),
])
def test_each_failure_has_one_meaning(
    error: DeliveryError, written: bool, state: DeliveryState, code: int | None
) -> None:
    outcome = judge(delivery(), error, written=written, now=NOW)
    assert (outcome.state, outcome.code, outcome.enhanced) == (state, code, error.enhanced)
    assert error.args[0] in outcome.error


@pytest.mark.parametrize(("attempts", "wait"), [
    (1, timedelta(minutes=1)), (2, timedelta(minutes=2)), (8, timedelta(minutes=128)), (9, timedelta(hours=4)),
    (400, timedelta(hours=4)),
])
def test_waits_double_from_a_minute_to_four_hours(attempts: int, wait: timedelta) -> None:
    outcome = judge(delivery(attempts), DeliveryError(TO, "busy", code=450), written=True, now=NOW)
    assert (outcome.state, outcome.until) == (DEFERRED, NOW + wait)


@pytest.mark.parametrize(("error", "code"), [
    (DeliveryError(TO, "452 4.2.2 full", code=452, enhanced="4.2.2"), 452),
    (DeliveryError(TO, "421 closing", code=421, server=True), None),  # never about the reader
])
def test_after_three_days_a_row_is_given_up(error: DeliveryError, code: int | None) -> None:
    late = NOW + timedelta(days=3, seconds=1)
    outcome = judge(delivery(20), error, written=False, now=late)
    assert outcome.state is FAILED and "given up after 3 days" in outcome.error
    assert outcome.code == code


def test_a_mail_that_waits_for_its_turn_is_never_given_up() -> None:
    turn = NOW + timedelta(days=9)
    error = DeliveryError(TO, "rate used up", server=True, retry_at=turn)
    assert judge(delivery(), error, written=False, now=NOW + timedelta(days=8)) == Outcome(
        DeliveryState.QUEUED, f"{TO}: rate used up", turn)


def test_a_long_reply_is_one_short_line() -> None:
    outcome = judge(delivery(), DeliveryError(TO, "no\r\nX: y\n" * 200, code=450), written=False, now=NOW)
    assert len(outcome.error) <= 500 and "\n" not in outcome.error and "\r" not in outcome.error
