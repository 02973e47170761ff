"""What providers post, from the request to the suppression list."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from digest.errors import FetchError, NotFound, WebhookRefused
from digest.model import BounceKind
from digest.ports import FetchRequest, FetchResponse
from digest.services import bounces, subscribers
from digest.services.replay import SimulatedClock
from digest.services.webhooks import Webhooks
from digest.settings import BouncesSettings, Settings
from tests.mail.test_sns import CERTIFICATE, NOW, URL, a_message
from tests.mail.test_webhooks import POSTMARK, SECRET, SES, ses
from tests.services.readers import with_newsletters

READER = "aigul@reader.example"
SETTINGS = Settings(bounces=BouncesSettings(webhooks={"postmark": POSTMARK, "ses": SES}))
KNOWN = {"x-digest-secret": SECRET}


class Sns:
    """Answers what SNS answers, and remembers what it was asked for."""

    def __init__(self, moved_to: str = "", error: bool = False):
        self.asked: list[str] = []
        self._moved_to, self._error = moved_to, error

    async def fetch(self, request: FetchRequest) -> FetchResponse:
        self.asked.append(request.url)
        if self._error:
            raise FetchError(request.url, "timeout", "took too long")
        return FetchResponse(200, self._moved_to or request.url, CERTIFICATE)

    async def close(self) -> None:
        pass


@pytest.fixture
def engine(engine: Engine) -> Engine:
    with_newsletters(engine)
    with engine.begin() as conn:
        subscribers.subscribe(conn, "kazakhstan", READER, "operator", NOW)
    return engine


def post(engine: Engine, name: str, document: Any, *, headers: dict[str, str] | None = None, server: Sns | None = None,
         now: datetime = NOW) -> int:
    made = Webhooks(engine, SETTINGS, SimulatedClock(now), lambda: server or Sns())
    return asyncio.run(made.receive(name, headers or {}, json.dumps(document).encode()))


def bounced(address: str = READER, **more: Any) -> dict[str, Any]:
    return {"RecordType": "Bounce", "ID": 1, "Email": address, "Details": "smtp;550 5.1.1 user unknown", **more}


def test_a_bounce_counts_once_and_another_day_suppresses(engine: Engine) -> None:
    assert post(engine, "postmark", bounced(), headers=KNOWN) == 1
    assert post(engine, "postmark", bounced(), headers=KNOWN) == 0  # posted again
    later = datetime(2026, 3, 21, 2, 0, tzinfo=UTC)
    assert post(engine, "postmark", bounced(ID=2), headers=KNOWN, now=later) == 1
    with engine.begin() as conn:
        assert (bounces.suppressed(conn, READER) or "").startswith("bounced: user-unknown")
        assert {b.origin for b in bounces.recent(conn, limit=9)} == {"webhook:postmark"}


def test_a_complaint_suppresses_at_once(engine: Engine) -> None:
    assert post(engine, "ses", a_message(json.dumps(ses("Complaint", [{"emailAddress": READER.upper()}])))) == 1
    with engine.begin() as conn:
        assert (bounces.suppressed(conn, READER) or "").startswith("complaint")


def test_an_address_that_we_never_mailed_is_left_alone(engine: Engine) -> None:
    for address in ("stranger@reader.example", "no address", "a@b@c", "", "\ud800@x.example"):
        assert post(engine, "postmark", bounced(address), headers=KNOWN) == 0


def test_what_no_database_takes_is_stored_without_it(engine: Engine) -> None:
    assert post(engine, "postmark", bounced(Details="550 5.1.1 a\x00b \ud800"), headers=KNOWN) == 1
    with engine.begin() as conn:
        [stored] = bounces.recent(conn, limit=9)
        assert (stored.kind, stored.text) == (BounceKind.HARD, "550 5.1.1 ab ?")


def test_the_certificate_is_asked_for_once(engine: Engine) -> None:
    server = Sns()
    made = Webhooks(engine, SETTINGS, SimulatedClock(NOW), lambda: server)

    async def twice() -> list[int]:
        body = json.dumps(a_message(json.dumps(ses("Bounce", [{"emailAddress": READER, "status": "5.1.1"}])))).encode()
        return [await made.receive("ses", {}, body) for _ in range(2)]

    assert asyncio.run(twice()) == [1, 0]
    assert server.asked == [URL]


def test_a_subscription_is_confirmed_once_it_is_proved(engine: Engine) -> None:
    server = Sns()
    assert post(engine, "ses", a_message(kind="SubscriptionConfirmation"), server=server) == 0
    assert server.asked == [URL, "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription"]
    forged, server = {**a_message(kind="SubscriptionConfirmation"), "Token": "other"}, Sns()
    with pytest.raises(WebhookRefused):
        post(engine, "ses", forged, server=server)
    assert server.asked == [URL]


@pytest.mark.parametrize(("name", "document", "server", "status"), [
    ("postmark", bounced(), Sns(), 401),
    ("ses", bounced(), Sns(), 401),
    ("ses", [], Sns(), 400),
    ("ses", {**a_message(), "SigningCertURL": "https://169.254.169.254/x.pem"}, Sns(), 401),
    ("ses", a_message(), Sns(moved_to="https://evil.example/x.pem"), 401),
    ("ses", a_message(), Sns(error=True), 503),  # SNS tries again
    ("ses", a_message("no JSON"), Sns(), 400),
])
def test_what_is_not_the_providers_is_refused(
    engine: Engine, name: str, document: Any, server: Sns, status: int
) -> None:
    with pytest.raises(WebhookRefused) as refused:
        post(engine, name, document, server=server)
    assert refused.value.status == status
    assert not any("169.254" in url for url in server.asked)
    with engine.begin() as conn:
        assert bounces.recent(conn, limit=9) == []


def test_an_unknown_provider_is_not_found(engine: Engine) -> None:
    with pytest.raises(NotFound):
        post(engine, "sendgrid", {})
