"""A person's own data: shown whole, erased whole."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, text

from digest.alert_rules import AlertSpec
from digest.errors import TokenError
from digest.model import DeliveryState, Message, Preferences, Subscriber
from digest.pipeline.render import Renderer
from digest.resources import template_texts
from digest.services import (
    address_changes,
    alert_rules,
    bounces,
    deliveries,
    leaving,
    personal_data,
    preferences,
    subscribers,
)
from digest.services.preferences import Wanted
from digest.storage import deliveries as ledger
from digest.storage import subscribers as storage
from digest.storage.schema import metadata
from tests.services.readers import NOW, SETTINGS, SIGNER, sign_up, with_newsletters

EMAIL = "secret.reader@example.org"
RENDERER = Renderer(template_texts(None))


@pytest.fixture
def engine(engine: Engine) -> Engine:
    """A database, of each kind, in which a reader left a trace in every table that has one."""
    with_newsletters(engine)
    sign_up(engine, EMAIL)
    with engine.begin() as conn:
        own = subscribers.subscribe(conn, "kazakhstan", EMAIL, "operator", NOW, again=True).subscription
        preferences.store(conn, own.id, Wanted(Preferences(hour="07:30", zone="Europe/Berlin"), ("brief",)))
        alert_rules.add(conn, "my secret watch", AlertSpec(query="secret AND gas"), EMAIL, NOW)
        address_changes.ask(conn, own.subscriber, "secret.new@example.org", language="en", settings=SETTINGS,
                            signer=SIGNER, renderer=RENDERER, now=NOW)
        for subject in ("edition:kazakhstan/2023-03-20", "bundle:1"):
            deliveries.queue(conn, subject=subject, channel="mail", target=EMAIL,
                             message=Message(subject, "secret" if subject == "bundle:1" else "news", "text"),
                             unsubscribe=leaving.subscription_mark(own.id), due_at=NOW, now=NOW)
        bounces.note_refusal(conn, target=EMAIL, subject="edition:kazakhstan/2023-03-19", code=550, enhanced="5.1.1",
                             text=f"<{EMAIL}> unknown", now=NOW)
        bounces.suppress(conn, EMAIL, "asked by letter", NOW)
    return engine


def reader(engine: Engine) -> Subscriber:
    with engine.begin() as conn:
        found = storage.subscriber_by_email(conn, EMAIL)
    assert found is not None
    return found


def dump(engine: Engine) -> str:
    """Every value of every table."""
    with engine.begin() as conn:
        return "\n".join(str(tuple(row)) for table in metadata.sorted_tables for row in conn.execute(select(table)))


def test_all_that_is_stored_is_shown(engine: Engine) -> None:
    person = reader(engine)
    with engine.begin() as conn:
        found = personal_data.gather(conn, person)
    assert json.loads(json.dumps(found)) == found
    assert (found["address"], found["consent"]) == (EMAIL, "operator")
    [own] = found["subscriptions"]
    assert (own["newsletter"], own["state"], own["hour"], own["zone"], own["hidden_sections"]) == (
        "kazakhstan", "active", "07:30", "Europe/Berlin", "brief")
    assert found["alert_rules"][0]["query"] == "secret AND gas"
    assert found["changes_of_address"][0]["to"] == "secret.new@example.org"
    assert {mail["what"].partition(":")[0] for mail in found["mails"]} == {"notice", "edition", "bundle"}
    assert found["returned_mail"][0]["text"].startswith("<secret") and "asked by letter" in found["suppressed"]


def test_erasing_leaves_no_trace(engine: Engine) -> None:
    person = reader(engine)
    assert dump(engine).count("secret") > 5
    with engine.begin() as conn:
        personal_data.erase(conn, person, NOW)
    assert [line for line in dump(engine).splitlines() if "secret" in line or "Europe/Berlin" in line] == []


def test_who_was_erased_is_mailed_nothing_and_may_come_back_as_somebody_new(engine: Engine) -> None:
    person = reader(engine)
    with engine.begin() as conn:
        personal_data.erase(conn, person, NOW)
        personal_data.erase(conn, person, NOW)  # twice is once
        assert subscribers.active_subscriptions(conn, "kazakhstan") == []
        assert ledger.deliveries_in(conn, DeliveryState.QUEUED) == []
        assert leaving.describe(conn, "subscription:1").over
    assert sign_up(engine, EMAIL, NOW + timedelta(days=1))
    assert reader(engine).id != person.id
    with engine.begin() as conn:
        assert leaving.describe(conn, "subscription:1").over  # the old link is not the new subscription's


def test_the_link_is_mailed_to_the_address_itself_and_ends(engine: Engine) -> None:
    person = reader(engine)
    with engine.begin() as conn:
        conn.execute(text("DELETE FROM form_posts"))
        assert personal_data.offer(conn, person, "subscription:1", language="ru", settings=SETTINGS, signer=SIGNER,
                                   renderer=RENDERER, now=NOW)
        [mail] = [d for d in ledger.deliveries_in(conn, DeliveryState.QUEUED) if d.subject.startswith("notice:data:")]
        assert mail.target == EMAIL and "Показать или стереть" in mail.message.text
        [link] = [line for line in mail.message.text.splitlines() if "/u/data/" in line]
        token = link.rpartition("/")[2]
        assert personal_data.read(conn, token, SIGNER, NOW) == (person, "ru")
        with pytest.raises(TokenError, match="expired"):
            personal_data.read(conn, token, SIGNER, NOW + timedelta(days=1, seconds=1))
        standing = leaving.standing(conn, mail.unsubscribe, subject=mail.subject, language="ru")
        assert standing is not None and standing.list_slug == ""
        personal_data.erase(conn, person, NOW)
        with pytest.raises(TokenError, match="used already"):
            personal_data.read(conn, token, SIGNER, NOW)
