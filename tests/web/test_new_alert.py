"""/alerts/new: a rule without an account, tried first, confirmed by mail; the same answer for every address."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from digest.alert_rules import AlertRule, AlertSpec
from digest.app import App
from digest.model import Delivery, DeliveryState
from digest.services import alert_rules as rules
from digest.services import leaving
from digest.services.alerts import AlertEngine, Context
from digest.settings import AlertsSettings
from digest.storage import alert_rules as storage
from digest.storage import deliveries, subscribers
from digest.storage.engine import read_only
from digest.web.app import create_app
from tests.web.browser import Browser
from tests.web.worlds import NOW, TOKEN, FixedClock, put_stories

READER = "reader@example.org"
ASK = {"do": "ask", "query": "vote OR grain", "cadence": "hourly", "email": READER}


@pytest.fixture
def open_to_all(world: App) -> App:
    settings = world.settings.model_copy(update={"alerts": AlertsSettings(open=True, rules_per_address=2)})
    return replace(world, settings=settings)


@pytest.fixture
def visitor(open_to_all: App) -> Browser:
    return Browser(create_app(open_to_all, preview_token=TOKEN, heartbeat=lambda: NOW))


def stored(world: App, *states: str) -> Sequence[AlertRule]:
    with read_only(world.engine) as conn:
        return storage.rules(conn, *(states or ("active", "paused", "pending")))


def queued(world: App) -> Sequence[Delivery]:
    with read_only(world.engine) as conn:
        return deliveries.deliveries_in(conn, DeliveryState.QUEUED)


def link_in(delivery: Delivery) -> str:
    found = re.search(r"http://localhost:\d+(/alerts/new/\S+)", delivery.message.text)
    assert found
    return found[1]


def test_the_page_is_closed_unless_the_operator_opens_it(world: App, local: Browser) -> None:
    assert local.get("/alerts/new").status_code == 404
    assert local.post("/alerts/new", data=ASK).status_code == 404 and not stored(world)


def test_a_trial_shows_what_it_would_have_told_and_stores_nothing(open_to_all: App, visitor: Browser) -> None:
    put_stories(open_to_all)
    answer = visitor.post("/alerts/new", data={**ASK, "do": "try", "query": "vote"})
    assert answer.status_code == 200 and "<mark>Vote</mark>" in answer.text and "1 alert<" in answer.text
    assert 'value="vote"' in answer.text and f'value="{READER}"' in answer.text
    assert not stored(open_to_all) and not queued(open_to_all)


def test_a_rule_waits_until_its_address_confirms_it(open_to_all: App, visitor: Browser) -> None:
    assert visitor.post("/alerts/new", data=ASK).status_code == 200
    (rule,) = stored(open_to_all)
    assert (rule.state, rule.origin, rule.owner_name, str(rule.spec.cadence)) == ("pending", "web", READER, "hourly")
    (mail,) = queued(open_to_all)
    assert mail.target == READER and "vote" not in mail.message.text.lower() + mail.message.html.lower()
    with read_only(open_to_all.engine) as conn:
        assert leaving.standing(conn, mail.unsubscribe, subject=mail.subject)
    put_stories(open_to_all)  # while it waits, and so before it
    path = link_in(mail)
    assert "vote OR grain" in visitor.get(path).text and stored(open_to_all)[0].state == "pending"
    for _ in range(2):
        assert visitor.post(path).status_code == 200
        assert [(one.state, one.since) for one in stored(open_to_all)] == [("active", NOW)]
    context = Context(open_to_all.settings, open_to_all.configuration, "UTC")
    assert AlertEngine(open_to_all.engine).fire(context, NOW).alerts == 0
    with read_only(open_to_all.engine) as conn:
        owner = subscribers.subscriber_by_email(conn, READER)
    assert owner and owner.consent_source == "double-opt-in"


def test_the_answer_is_the_same_for_every_address(open_to_all: App, visitor: Browser) -> None:
    with open_to_all.engine.begin() as conn:
        for number in range(2):
            rules.add(conn, f"own {number}", AlertSpec(query="gas"), READER, NOW)
    addresses = (READER, "new@example.org")
    known, unknown = (visitor.post("/alerts/new", data={**ASK, "email": email}) for email in addresses)
    assert known.text == unknown.text and known.status_code == unknown.status_code == 200
    assert [mail.target for mail in queued(open_to_all)] == ["new@example.org"]  # the other has as many as it may


def test_asking_again_mails_once_an_hour_and_makes_one_rule(open_to_all: App, visitor: Browser) -> None:
    for _ in range(3):
        visitor.post("/alerts/new", data=ASK)
    assert len(stored(open_to_all)) == len(queued(open_to_all)) == 1
    visitor.post("/alerts/new", data={**ASK, "cadence": "daily"})
    assert [one.name for one in stored(open_to_all)] == ["vote OR grain", "vote OR grain (2)"]


def test_a_machine_that_fills_the_hidden_field_makes_nothing(open_to_all: App, visitor: Browser) -> None:
    answer = visitor.post("/alerts/new", data={**ASK, "website": "https://spam.example"})
    assert answer.status_code == 200 and not stored(open_to_all) and not queued(open_to_all)


def test_a_network_may_ask_so_often_an_hour(open_to_all: App, visitor: Browser) -> None:
    most = open_to_all.settings.sign_up.posts_per_network
    codes = [visitor.post("/alerts/new", data={**ASK, "do": "try"}).status_code for _ in range(most + 1)]
    assert set(codes[:-1]) == {200} and codes[-1] == 429


def test_the_way_out_of_the_mail_gives_the_rule_up(open_to_all: App, visitor: Browser) -> None:
    visitor.post("/alerts/new", data=ASK)
    (mail,) = queued(open_to_all)
    with open_to_all.engine.begin() as conn:
        leaving.leave(conn, mail.unsubscribe, NOW)
        assert leaving.standing(conn, mail.unsubscribe, subject=mail.subject) is None
    assert visitor.post(link_in(mail)).status_code == 400 and not stored(open_to_all)


def test_what_is_never_confirmed_is_forgotten(open_to_all: App, visitor: Browser) -> None:
    visitor.post("/alerts/new", data=ASK)
    later = replace(open_to_all, clock=FixedClock(NOW + timedelta(days=31)))
    Browser(create_app(later, preview_token=TOKEN, heartbeat=lambda: NOW)).post(
        "/alerts/new", data={**ASK, "email": "other@example.org"})
    assert [rule.owner_name for rule in stored(open_to_all)] == ["other@example.org"]
    with read_only(open_to_all.engine) as conn:
        assert subscribers.subscriber_by_email(conn, READER) is None


def test_a_link_expires(open_to_all: App, visitor: Browser) -> None:
    visitor.post("/alerts/new", data=ASK)
    later = replace(open_to_all, clock=FixedClock(NOW + timedelta(days=8)))
    page = Browser(create_app(later, preview_token=TOKEN, heartbeat=lambda: NOW))
    path = link_in(queued(open_to_all)[0])
    assert page.get(path).status_code == page.post(path).status_code == 400
    assert stored(open_to_all)[0].state == "pending"


@pytest.mark.parametrize("token", ["x", "x" * 5000, "WyIxIiwwXQ.AAAA"])
def test_forged_links_confirm_nothing(open_to_all: App, visitor: Browser, token: str) -> None:
    visitor.post("/alerts/new", data=ASK)
    assert visitor.get(f"/alerts/new/{token}").status_code == visitor.post(f"/alerts/new/{token}").status_code == 400
    assert stored(open_to_all)[0].state == "pending"


@pytest.mark.parametrize("do", ["try", "ask"])
@pytest.mark.parametrize(("changes", "told_of"), [
    ({"query": "gas OR OR oil"}, "character 8"), ({"query": ""}, "character 1"), ({"query": "   "}, "character"),
    ({"query": "-gas"}, "NOT"), ({"query": '"gas'}, "character"), ({"query": "(" * 900}, "deep"),
    ({"query": "titel:gas"}, "title"), ({"cadence": "weekly"}, "cadence"), ({"zone": "Mars/Base"}, "time zone"),
    ({"quiet_from": "22:00"}, "quiet"), ({"query": "<b>x</b> OR OR"}, "&lt;b&gt;"),
])
def test_what_cannot_be_is_refused_with_its_reason(
    open_to_all: App, visitor: Browser, do: str, changes: dict[str, str], told_of: str
) -> None:
    answer = visitor.post("/alerts/new", data={**ASK, "do": do, **changes})
    assert answer.status_code == 422 and told_of in answer.text and "<b>x" not in answer.text
    assert not stored(open_to_all) and not queued(open_to_all)


@pytest.mark.parametrize("email", [
    "", "nobody", "a@b", "x" * 300 + "@example.org", "a@example.org\nBcc: b@example.org"])
def test_a_bad_address_is_refused(open_to_all: App, visitor: Browser, email: str) -> None:
    assert visitor.post("/alerts/new", data={**ASK, "email": email}).status_code == 422
    assert not stored(open_to_all) and not queued(open_to_all)
