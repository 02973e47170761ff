"""A crawler that opens every link of every mail, as spam filters and link previews do, changes nothing."""

import re
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

from sqlalchemy import select

from digest.alert_rules import AlertSpec
from digest.app import App
from digest.model import DeliveryState
from digest.pipeline.render import Renderer
from digest.resources import template_texts
from digest.services import alert_rules, alert_sign_ups, deliveries, envelopes, leaving, subscribers
from digest.services.alerts import AlertEngine, Context
from digest.services.envelopes import envelope
from digest.storage import deliveries as ledger
from digest.storage.schema import metadata
from tests.pipeline import views
from tests.web.browser import Browser
from tests.web.worlds import NOW, put_stories

LINK = re.compile(r"https?://localhost:\d+(/[^\s\"<>]*)")


def dump(world: App) -> list[str]:
    """Every value of every table."""
    with world.engine.begin() as conn:
        return [str(tuple(row)) for table in metadata.sorted_tables for row in conn.execute(select(table))]


def mails(world: App) -> list[EmailMessage]:
    """What waits in the ledger, as it would go out."""
    found = []
    with world.engine.begin() as conn:
        for delivery in ledger.deliveries_in(conn, DeliveryState.QUEUED):
            standing = leaving.standing(conn, delivery.unsubscribe, subject=delivery.subject)
            assert standing is not None
            sent = envelope(delivery, standing, settings=world.settings, signer=world.signer(), now=NOW)
            found.append(message_from_bytes(sent.data, policy=policy.default))
    return found


def links(mail: EmailMessage) -> set[str]:
    """Paths of the links to our own pages in both parts and in the header."""
    texts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    texts.append(str(mail["List-Unsubscribe"]))
    return {path for text in texts for path in LINK.findall(text)}


def alert(world: App) -> None:
    """Two mails of alerts: one that tells a story, and one that asks to confirm a rule."""
    with world.engine.begin() as conn:
        alert_rules.add(conn, "vote", AlertSpec(query="vote"), "reader@example.org", NOW - timedelta(days=1))
        alert_sign_ups.ask(conn, AlertSpec(query="gas"), "other@example.org", settings=world.settings,
                           signer=world.signer(), renderer=Renderer(template_texts(None)), language="en", now=NOW)
    put_stories(world)
    AlertEngine(world.engine).fire(Context(world.settings, world.configuration, "UTC"), NOW)


def test_opening_every_link_of_every_mail_changes_nothing(world: App, local: Browser) -> None:
    with world.engine.begin() as conn:
        own = subscribers.subscribe(conn, "kazakhstan", "reader@example.org", "operator", NOW).subscription
        mark = leaving.subscription_mark(own.id)
        deliveries.queue(
            conn, subject="edition:kazakhstan/2023-03-20", channel=envelopes.MAIL, target="reader@example.org",
            message=Renderer(template_texts(None)).message(views.EDITION), unsubscribe=mark, due_at=NOW, now=NOW)
    page = "/" + envelopes.unsubscribe_url(world.settings, world.signer(), mark).split("/", 3)[3]
    local.post(f"{page}/address", data={"email": "new@example.org"})
    local.post(f"{page}/data")
    local.post("/sign-up/quiet", data={"email": "other@example.org"})
    alert(world)
    found = [links(mail) for mail in mails(world)]
    assert [len(paths) > 1 for paths in found] == [True] * 7  # edition, change (2), data, sign-up, alert (2)
    before = dump(world)
    for path in sorted(set().union(*found)):
        for method in ("GET", "HEAD"):
            assert local.ask(method, path).status_code in {200, 404}, path
            assert dump(world) == before, f"{method} {path}"


def test_what_was_opened_still_works_when_its_reader_comes(world: App, local: Browser) -> None:
    local.post("/sign-up/quiet", data={"email": "other@example.org"})
    [confirm] = [path for path in links(mails(world)[0]) if path.startswith("/sign-up/")]
    for _ in range(3):
        assert local.get(confirm).status_code == 200
    assert "You are signed up to Quiet News" in local.post(confirm).text
