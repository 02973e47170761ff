"""A change of address needs both mailboxes."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from digest.alert_rules import AlertSpec
from digest.errors import AddressRefused, TokenError
from digest.model import AddressChange, Delivery, DeliveryState, Message, Preferences, Subscriber
from digest.pipeline.render import Renderer
from digest.resources import template_texts
from digest.services import address_changes, alert_rules, deliveries, leaving, preferences, subscribers
from digest.services.preferences import Wanted
from digest.storage import alert_rules as alerts
from digest.storage import deliveries as ledger
from digest.storage import subscribers as storage
from tests.services.readers import HOUR, NOW, SETTINGS, SIGNER, with_newsletters

OLD, NEW = "old@example.org", "new@example.org"


@pytest.fixture
def engine(engine: Engine) -> Engine:
    """A database, of each kind, with a reader at the old address."""
    with_newsletters(engine)
    with engine.begin() as conn:
        subscribers.subscribe(conn, "kazakhstan", OLD, "operator", NOW)
    return engine


def reader(engine: Engine, email: str = OLD) -> Subscriber:
    with engine.begin() as conn:
        found = storage.subscriber_by_email(conn, email)
    assert found is not None
    return found


def ask(engine: Engine, email: str = NEW) -> bool:
    subscriber = reader(engine)
    with engine.begin() as conn:
        return address_changes.ask(conn, subscriber, email, language="en", settings=SETTINGS, signer=SIGNER,
                                   renderer=Renderer(template_texts(None)), now=NOW)


def mails(engine: Engine) -> dict[str, Delivery]:
    """The two mails of a change by their addresses; the last ones where there are several changes."""
    with engine.begin() as conn:
        queued = ledger.deliveries_in(conn, DeliveryState.QUEUED)
    return {d.target: d for d in queued if d.subject.startswith("notice:address:")}


def token_of(mail: Delivery) -> str:
    [link] = [line for line in mail.message.text.splitlines() if "/u/address/" in line]
    assert f'href="{link}"' in mail.message.html
    return link.rpartition("/")[2]


def confirm(engine: Engine, target: str) -> AddressChange:
    token = token_of(mails(engine)[target])
    with engine.begin() as conn:
        return address_changes.confirm(conn, address_changes.read(conn, token, SIGNER, NOW), NOW)


@pytest.mark.parametrize("order", [(OLD, NEW), (NEW, OLD)])
def test_the_address_changes_when_both_confirmed_it(engine: Engine, order: tuple[str, str]) -> None:
    before = reader(engine)
    assert ask(engine, "New@example.org")
    assert confirm(engine, order[0]).state == "open"
    assert confirm(engine, order[0]).state == "open"  # twice from one mailbox is once
    assert reader(engine) == before
    assert confirm(engine, order[1]).state == "done"
    assert reader(engine, NEW).id == before.id
    assert confirm(engine, order[1]).state == "done"  # to confirm twice is to confirm once


def test_the_mails_hold_nothing_that_was_typed(engine: Engine) -> None:
    ask(engine, "buy.pills.at.evil@example.org")
    for mail in mails(engine).values():
        assert "pills" not in mail.message.html + mail.message.text + mail.message.subject
        assert "Main Street 1, Almaty" in mail.message.text


def test_either_mailbox_can_say_no(engine: Engine) -> None:
    for target in (OLD, NEW):
        ask(engine)
        token = token_of(mails(engine)[OLD])
        mark = mails(engine)[target].unsubscribe
        with engine.begin() as conn:
            standing = leaving.standing(conn, mark, subject="notice:address:1:old")
            assert standing is not None and "preferences" in standing.reason and standing.list_slug == ""
            leaving.leave(conn, mark, NOW)
            assert leaving.standing(conn, mark, subject="notice:address:1:old") is None
            with pytest.raises(TokenError, match="used already"):
                address_changes.read(conn, token, SIGNER, NOW)
            assert [s.state for s in subscribers.subscriptions_to(conn, "kazakhstan")] == ["active"]


def test_a_later_wish_replaces_an_earlier_one(engine: Engine) -> None:
    ask(engine)
    first = token_of(mails(engine)[NEW])
    ask(engine, "third@example.org")
    with engine.begin() as conn, pytest.raises(TokenError, match="used already"):
        address_changes.read(conn, first, SIGNER, NOW)


@pytest.mark.parametrize("value", ["1", "1:", "1:both", "x:old", "999:old", "1:old:new"])
def test_a_link_of_nothing_is_not_valid(engine: Engine, value: str) -> None:
    ask(engine)
    with engine.begin() as conn, pytest.raises(TokenError, match="not valid"):
        address_changes.read(conn, SIGNER.sign("address", value), SIGNER, NOW)


def test_links_end_after_three_days(engine: Engine) -> None:
    ask(engine)
    token = token_of(mails(engine)[OLD])
    with engine.begin() as conn, pytest.raises(TokenError, match="expired"):
        address_changes.read(conn, token, SIGNER, NOW + timedelta(days=3, seconds=1))


def test_nothing_is_sent_for_the_same_address_or_too_often(engine: Engine) -> None:
    assert not ask(engine, OLD)
    asked = [ask(engine, f"new{n}@example.org") for n in range(SETTINGS.sign_up.mails_per_address + 1)]
    assert asked == [True] * SETTINGS.sign_up.mails_per_address + [False]
    with pytest.raises(AddressRefused):
        ask(engine, "new@mailinator.com")


def test_what_waits_goes_to_the_new_address(engine: Engine) -> None:
    with engine.begin() as conn:
        for subject in ("edition:kazakhstan/2023-03-20", "bundle:1"):
            deliveries.queue(conn, subject=subject, channel="mail", target=OLD, message=Message("s", "h", "t"),
                             unsubscribe="subscription:1", due_at=NOW + HOUR, now=NOW)
    ask(engine)
    confirm(engine, OLD)
    confirm(engine, NEW)
    with engine.begin() as conn:
        waiting = {d.subject: d.target for d in ledger.deliveries_in(conn, DeliveryState.QUEUED)}
    assert waiting == {"edition:kazakhstan/2023-03-20": NEW, "bundle:1": NEW,
                       "notice:address:1:old": OLD, "notice:address:1:new": NEW}


def test_two_addresses_of_one_person_become_one(engine: Engine) -> None:
    """The other address reads one newsletter too and left this one, which the first address reads in Kazakh."""
    with engine.begin() as conn:
        own = subscribers.subscribe(conn, "kazakhstan", OLD, "operator", NOW).subscription
        preferences.store(conn, own.id, Wanted(Preferences(language="kk"), ("brief",)))
        subscribers.subscribe(conn, "kyrgyzstan", OLD, "operator", NOW)
        left = subscribers.subscribe(conn, "kazakhstan", NEW, "operator", NOW).subscription
        subscribers.leave(conn, left.id, NOW)
        alert_rules.add(conn, "gas", AlertSpec(query="gas"), OLD, NOW)
    ask(engine)
    confirm(engine, OLD)
    confirm(engine, NEW)
    with engine.begin() as conn:
        one = storage.subscriber_by_email(conn, NEW)
        assert one is not None and storage.subscriber_by_email(conn, OLD) is None
        found = {s.newsletter: s for s in subscribers.subscriptions_of(conn, one)}
        assert {slug: s.state for slug, s in found.items()} == {"kazakhstan": "active", "kyrgyzstan": "active"}
        assert (found["kazakhstan"].preferences.language, found["kazakhstan"].hidden_sections) == ("kk", ("brief",))
        assert [rule.name for rule in alerts.rules_of(conn, one.id)] == ["gas"]
        assert leaving.describe(conn, leaving.subscription_mark(own.id)).over  # an old mail's link ends nothing else
        assert [s.email for s in storage.all_subscribers(conn)] == [NEW]
