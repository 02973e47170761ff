"""/webhooks/{name}, as a provider calls it."""

import pytest

from digest.app import App
from digest.services import bounces, subscribers
from digest.services.webhooks import MAX_BYTES
from digest.settings import BouncesSettings
from digest.web.app import create_app
from tests.mail.test_webhooks import POSTMARK, SECRET
from tests.web.browser import Browser
from tests.web.worlds import NOW, TOKEN

KNOWN = {"X-Digest-Secret": SECRET}
READER = "reader@example.org"


@pytest.fixture
def provider(world: App) -> Browser:
    """A provider's server, where Postmark is set up and a reader is subscribed."""
    world.settings = world.settings.model_copy(update={"bounces": BouncesSettings(webhooks={"postmark": POSTMARK})})
    with world.engine.begin() as conn:
        subscribers.subscribe(conn, "kazakhstan", READER, "operator", NOW)
    return Browser(create_app(world, preview_token=TOKEN, heartbeat=lambda: NOW), client="203.0.113.9")


def test_a_complaint_is_taken_in(world: App, provider: Browser) -> None:
    complaint = {"RecordType": "SpamComplaint", "Email": READER}
    for _ in range(2):
        answer = provider.post("/webhooks/postmark", json=complaint, headers=KNOWN)
        assert (answer.status_code, answer.content) == (204, b"")
    with world.engine.begin() as conn:
        assert bounces.suppressed(conn, READER) == "complaint: told by webhook:postmark"
        assert len(bounces.recent(conn, limit=9)) == 1


@pytest.mark.parametrize(("path", "headers", "body", "status"), [
    ("/webhooks/postmark", {}, b"{}", 401),
    ("/webhooks/postmark", {"X-Digest-Secret": "x"}, b"{}", 401),
    ("/webhooks/postmark", KNOWN, b"{", 400),
    ("/webhooks/postmark", KNOWN, b"[" * 100_000, 400),
    ("/webhooks/postmark", KNOWN, b"x" * (MAX_BYTES + 1), 413),
    ("/webhooks/sendgrid", KNOWN, b"{}", 404),
])
def test_anything_else_is_refused(
    provider: Browser, path: str, headers: dict[str, str], body: bytes, status: int
) -> None:
    assert provider.post(path, headers=headers, content=body).status_code == status


def test_looking_changes_nothing(provider: Browser) -> None:
    assert provider.get("/webhooks/postmark", headers=KNOWN).status_code == 405
