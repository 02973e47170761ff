"""Several servers, rates and limits of domains: who gets a mail, who waits, and who is left alone."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import pytest

from digest.errors import DeliveryError
from digest.mail.pool import SmtpMailer
from digest.ports import Envelope, Wait
from digest.settings import Limits, SmtpSettings
from tests.mail.scripted import HANG_UP, SILENCE, Scripted, scripted

TURN = datetime(2026, 3, 20, 3, 0, tzinfo=UTC)


class Rates:
    """So many mails may go from each scope; a longer wait than anybody has patience for follows."""

    def __init__(self, **left: int):
        self.left = {name.replace("__", ":").replace("_", "."): count for name, count in left.items()}

    def take(self, scopes: Mapping[str, Limits]) -> Wait | None:
        for scope in scopes:
            if self.left[scope] < 1:
                return Wait(scope, 3600.0)
        for scope in scopes:
            self.left[scope] -= 1
        return None

    def turn(self, scope: str, limits: Limits) -> datetime:
        return TURN


def mail(recipient: str) -> Envelope:
    return Envelope("news@digest.example.org", recipient, "id@x", (b"Subject: a\r\n\r\nb\r\n",))


async def nothing() -> None: ...


async def send(mailer: SmtpMailer, *recipients: str) -> list[DeliveryError | None]:
    outcomes: list[DeliveryError | None] = []
    for recipient in recipients:
        try:
            await mailer.send(mail(recipient), nothing)
            outcomes.append(None)
        except DeliveryError as error:
            outcomes.append(error)
    return outcomes


def two_servers(first: dict[str, Any], second: dict[str, Any], rates: Rates | None = None, mails: int = 1,
                **options: Any) -> tuple[list[DeliveryError | None], Scripted, Scripted, int]:
    """Mails to two servers with these answers; options of the first. What came of them, and the capacity at the end."""
    async def run() -> tuple[list[DeliveryError | None], Scripted, Scripted, int]:
        async with AsyncExitStack() as stack:
            one, two = [await stack.enter_async_context(scripted(**answers)) for answers in (first, second)]
            mailer = SmtpMailer(SmtpSettings(
                servers={"backup": two.settings(priority=2, connections=3), "first": one.settings(**options)}), rates)
            outcomes = await send(mailer, *(f"reader{n}@example.org" for n in range(mails)))
            capacity = mailer.capacity
            await mailer.close()
            return outcomes, one, two, capacity

    return asyncio.run(run())


def test_the_first_server_gets_the_mail() -> None:
    outcomes, one, two, capacity = two_servers({}, {}, mails=3)
    assert outcomes == [None] * 3 and len(one.mails) == 3 and two.sessions == []
    assert capacity == 4


@pytest.mark.parametrize("answers", [
    {"greeting": "554 no service"}, {"greeting": HANG_UP}, {"EHLO": "421 bye"}, {"greeting": "421 too many"},
])
def test_the_next_is_asked_where_one_does_not_serve_and_it_is_left_alone_for_a_while(answers: dict[str, str]) -> None:
    outcomes, one, two, capacity = two_servers(answers, {}, mails=3)
    assert outcomes == [None] * 3 and len(two.mails) == 3
    assert len(one.sessions) == 1  # not asked again for each mail
    assert capacity == 3


@pytest.mark.parametrize("answers", [{"MAIL": "421 4.3.2 bye"}, {"DATA": "421 4.3.2 bye"}, {"MAIL": "452 4.3.1 full"}])
def test_a_server_that_takes_sessions_and_no_mail_is_left_alone_after_three(answers: dict[str, str]) -> None:
    outcomes, one, two, capacity = two_servers(answers, {}, mails=5)
    assert outcomes == [None] * 5 and len(two.mails) == 5
    assert capacity == 3
    assert sum(line.startswith("MAIL") for session in one.sessions for line in session) <= 5


def test_a_refused_reader_is_not_offered_to_the_next_server() -> None:
    outcomes, _, two, _ = two_servers({"RCPT": "550 5.1.1 no such user"}, {})
    assert outcomes[0] is not None and outcomes[0].permanent and two.sessions == []


@pytest.mark.parametrize("answer", [HANG_UP, "421 4.3.2 bye", "452 4.3.1 full"])
def test_what_the_ledger_was_told_of_is_never_offered_to_another_server(answer: str) -> None:
    outcomes, one, two, _ = two_servers({"DOT": answer}, {})
    assert outcomes[0] is not None and not outcomes[0].permanent
    assert len(one.mails) == 1 and two.sessions == []


def test_a_server_whose_rate_is_used_up_passes_on_to_the_next() -> None:
    rates = Rates(server__first=2, server__backup=9)
    outcomes, one, two, capacity = two_servers({}, {}, rates, mails=5, per_hour=2)
    assert outcomes == [None] * 5 and (len(one.mails), len(two.mails)) == (2, 3)
    assert capacity == 3


def test_mail_that_no_rate_lets_go_is_told_its_turn() -> None:
    outcomes, one, two, capacity = two_servers({}, {"greeting": HANG_UP}, Rates(server__first=0), mails=2, per_hour=2)
    for error in outcomes:
        assert error is not None and error.server and not error.permanent and error.code is None
    assert outcomes[1] is not None and outcomes[1].retry_at == TURN
    assert capacity == 0 and one.mails == two.mails == []


def test_a_dead_server_is_tried_again_after_its_pause() -> None:
    async def run() -> list[DeliveryError | None]:
        async with scripted(greeting=["554 no", "554 no"]) as server:
            mailer = SmtpMailer(SmtpSettings(servers={"only": server.settings()}), pause_seconds=0.0)
            outcomes = await send(mailer, "a@example.org", "b@example.org", "c@example.org")
            assert mailer.capacity == 4
            await mailer.close()
            return outcomes

    first, second, third = asyncio.run(run())
    assert first is not None and second is not None and third is None
    assert first.server and first.code == 554 and not first.permanent


def test_while_no_server_serves_the_mail_waits_with_a_reason() -> None:
    async def run() -> DeliveryError | None:
        async with scripted(greeting="554 5.3.2 down for repair") as server:
            mailer = SmtpMailer(SmtpSettings(servers={"only": server.settings()}))
            await send(mailer, "a@example.org")
            assert mailer.capacity == 0
            [error] = await send(mailer, "b@example.org")
            assert len(server.sessions) == 1
            return error

    error = asyncio.run(run())
    assert error is not None and error.server and not error.permanent and "down for repair" in str(error)


@pytest.mark.parametrize("answer", [HANG_UP, "421 4.4.2 idle for too long"])
def test_a_session_that_ended_while_it_was_idle_is_replaced_by_a_new_one(answer: str) -> None:
    async def run() -> Scripted:
        async with scripted(MAIL=["250 ok", "250 ok", answer]) as server:
            mailer = SmtpMailer(SmtpSettings(servers={"only": server.settings()}))
            assert await send(mailer, "a@example.org", "b@example.org", "c@example.org") == [None] * 3
            await mailer.close()
            return server

    server = asyncio.run(run())
    assert len(server.mails) == 3
    assert len(server.sessions) == 3  # one to learn what the server offers, one that ended, one more


def test_a_server_that_takes_no_further_session_is_served_over_those_it_took() -> None:
    async def run() -> Scripted:
        async with scripted(greeting=["220 here", "220 here", "421 4.7.0 too many", "421 4.7.0 too many"]) as server:
            mailer = SmtpMailer(SmtpSettings(servers={"only": server.settings(connections=3)}))
            assert await send(mailer, "first@example.org") == [None]  # learns that the server pipelines
            outcomes = await asyncio.gather(*(send(mailer, f"{n}@example.org") for n in range(9)))
            assert outcomes == [[None]] * 9
            await mailer.close()
            return server

    server = asyncio.run(run())
    assert len(server.mails) == 10 and len(server.sessions) == 4


@pytest.mark.parametrize(("options", "offers", "pieces"), [
    ({}, "250-here\r\n250 PIPELINING", 1), ({"pipelining": False}, "250-here\r\n250 PIPELINING", 0),
    ({}, "250 here", 0),
    ({"username": "a", "password": "b"}, "250-here\r\n250-AUTH CRAM-MD5\r\n250 PIPELINING", None),
])
def test_commands_go_together_where_the_server_offers_it(
    options: dict[str, Any], offers: str, pieces: int | None
) -> None:
    async def run() -> int:
        async with scripted(EHLO=offers) as server:
            mailer = SmtpMailer(SmtpSettings(servers={"only": server.settings(**options)}))
            await send(mailer, "a@example.org", "b@example.org")
            await mailer.close()
            return len(server.sessions)

    sessions = asyncio.run(run())
    if pieces is not None:
        assert sessions == 1 + pieces  # the first session is replaced where the server pipelines


def test_a_domain_has_no_more_mails_in_flight_than_it_takes() -> None:
    async def run() -> tuple[int, int]:
        flying: dict[str, int] = {"example.org": 0, "example.net": 0}
        most = dict(flying)

        async def one(mailer: SmtpMailer, number: int, domain: str) -> None:
            async def before_data() -> None:
                flying[domain] += 1
                most[domain] = max(most[domain], flying[domain])
                for _ in range(50):
                    await asyncio.sleep(0)
                flying[domain] -= 1

            await mailer.send(mail(f"{number}@{domain.upper()}"), before_data)

        async with scripted() as server:
            mailer = SmtpMailer(SmtpSettings(servers={"only": server.settings(connections=8)},
                                             domains={"Example.org": Limits(connections=2)}))
            await asyncio.gather(*(one(mailer, n, domain) for n in range(8) for domain in flying))
            await mailer.close()
        return most["example.org"], most["example.net"]

    limited, free = asyncio.run(run())
    assert limited <= 2 < free


def test_a_domains_rate_holds_back_its_readers_alone() -> None:
    async def run() -> list[DeliveryError | None]:
        async with scripted() as server:
            settings = SmtpSettings(servers={"only": server.settings()}, domains={"*": Limits(per_hour=1)})
            mailer = SmtpMailer(settings, Rates(domain__a_example=1, domain__b_example=1))
            outcomes = await send(mailer, "1@a.example", "2@a.example", "1@b.example")
            assert mailer.capacity == 4
            await mailer.close()
            return outcomes

    first, second, third = asyncio.run(run())
    assert first is None and third is None
    assert second is not None and not second.server and second.retry_at == TURN


def test_rates_without_a_memory_are_refused() -> None:
    with pytest.raises(ValueError, match="nothing remembers"):
        SmtpMailer(SmtpSettings(host="127.0.0.1", per_second=1))


def test_a_silent_server_does_not_serve() -> None:
    async def run() -> DeliveryError | None:
        async with scripted(greeting=SILENCE) as server:
            mailer = SmtpMailer(SmtpSettings(servers={"only": server.settings(timeout_seconds=0.1)}))
            [error] = await send(mailer, "a@example.org")
            return error

    error = asyncio.run(run())
    assert error is not None and error.server and error.code is None
