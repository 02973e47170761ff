"""The page of a mail's link: preferences, another address, personal data; and what bad input does there."""

import json
import re
from datetime import timedelta

import pytest

from digest.alert_rules import AlertSpec
from digest.app import App
from digest.model import DeliveryState, Frequency, Subscription
from digest.services import alert_rules, envelopes, leaving, subscribers
from digest.storage import deliveries as ledger
from digest.web.app import create_app
from tests.web.browser import Browser
from tests.web.worlds import NOW, TOKEN

WHOLE = {"boxes": "1", "frequency": "weekdays", "paused_until": "2023-04-01", "hour": "07:30", "zone": "Europe/Berlin",
         "language": "ru", "format": "text", "sections": ["latest", "brief"], "newsletters": ["quiet"]}


@pytest.fixture
def link(world: App) -> str:
    """The path of the link of a reader of the newsletter."""
    with world.engine.begin() as conn:
        own = subscribers.subscribe(conn, "kazakhstan", "reader@example.org", "operator", NOW).subscription
    return path_of(world, leaving.subscription_mark(own.id))


def path_of(world: App, mark: str) -> str:
    return "/" + envelopes.unsubscribe_url(world.settings, world.signer(), mark).split("/", 3)[3]


def readers(world: App, newsletter: str = "kazakhstan") -> list[Subscription]:
    with world.engine.begin() as conn:
        return subscribers.subscriptions_to(conn, newsletter)


def links_in_mail(world: App, kind: str) -> dict[str, str]:
    """Paths of the links in the notices of a kind ("address", "data") that were queued, by recipient."""
    with world.engine.begin() as conn:
        queued = [d for d in ledger.deliveries_in(conn, DeliveryState.QUEUED) if d.subject.startswith(f"notice:{kind}")]
    found = {d.target: re.search(rf"https?://[^/]+(/u/{kind}/\S+)", d.message.text) for d in queued}
    return {target: match[1] for target, match in found.items() if match}


def test_preferences_are_shown_saved_and_shown_again(world: App, local: Browser, link: str) -> None:
    page = local.get(link)
    assert page.status_code == 200 and page.headers["cache-control"] == "no-store"
    for name in ("frequency", "paused_until", "hour", "zone", "language", "sections", "format", "newsletters"):
        assert f'name="{name}"' in page.text
    assert '<option value="Asia/Almaty" selected>' in page.text and "<script" not in page.text
    saved = local.post(f"{link}/preferences", data=WHOLE)
    assert saved.status_code == 200 and "Сохранено" in saved.text and '<html lang="ru"' in saved.text
    [own] = readers(world)
    assert (own.preferences.frequency, own.preferences.hour, own.preferences.zone) == (
        Frequency.WEEKDAYS, "07:30", "Europe/Berlin")
    assert (own.preferences.language, own.preferences.format, own.hidden_sections) == ("ru", "text", ("more",))
    assert [s.state for s in readers(world, "quiet")] == ["active"]
    again = local.get(link).text
    for shown in ('value="2023-04-01"', 'value="07:30"', '<option value="Europe/Berlin" selected>',
                  'value="weekdays" checked', 'value="text" checked', 'value="quiet" checked',
                  'value="latest" checked'):
        assert shown in again
    assert 'value="more" checked' not in again


def test_unticked_newsletters_are_left(world: App, local: Browser, link: str) -> None:
    local.post(f"{link}/preferences", data=WHOLE)
    local.post(f"{link}/preferences", data={"boxes": "1"})
    assert [s.state for s in readers(world, "quiet")] == ["left"]
    assert [s.state for s in readers(world)] == ["active"]


def test_a_form_without_fields_changes_nothing(world: App, local: Browser, link: str) -> None:
    local.post(f"{link}/preferences", data=WHOLE)
    before = readers(world) + readers(world, "quiet")
    for body in (b"", b"List-Unsubscribe=One-Click", b"{}", b"\xff\xfe=\xff"):
        answer = local.post(f"{link}/preferences", content=body,
                            headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status_code == 200
    assert readers(world) + readers(world, "quiet") == before


@pytest.mark.parametrize(("data", "text"), [
    ({"hour": "25:00"}, "Write the hour like 07:30."), ({"zone": "../etc/passwd"}, "Choose a zone"),
    ({"frequency": "<script>"}, "Choose one of those offered."), ({"paused_until": "9999-12-31"}, "within the next"),
    ({"language": "xx"}, "Choose one of those offered."), ({"format": "pdf"}, "Choose one of those offered.")])
def test_what_is_not_offered_is_refused_on_the_page(
    world: App, local: Browser, link: str, data: dict[str, str], text: str
) -> None:
    answer = local.post(f"{link}/preferences", data={**data, "boxes": "1", "newsletters": "quiet"})
    assert answer.status_code == 422 and text in answer.text and "<script>" not in answer.text
    assert readers(world, "quiet") == []  # all of a form or nothing


def test_the_address_changes_from_both_mailboxes(world: App, local: Browser, link: str) -> None:
    answer = local.post(f"{link}/address", data={"email": "New@example.org"})
    assert answer.status_code == 200 and "Look into both mailboxes" in answer.text
    links = links_in_mail(world, "address")
    assert links.keys() == {"reader@example.org", "new@example.org"}
    assert "From reader@example.org to new@example.org." in local.get(links["reader@example.org"]).text
    assert "From r…@example.org to new@example.org." in local.get(links["new@example.org"]).text
    assert "Now the other mailbox" in local.post(links["new@example.org"]).text
    assert "Now the other mailbox" in local.get(links["new@example.org"]).text
    assert [s.subscriber.email for s in readers(world)] == ["reader@example.org"]
    assert "Your address is changed" in local.post(links["reader@example.org"]).text
    assert [s.subscriber.email for s in readers(world)] == ["new@example.org"]
    for path in links.values():  # twice is once
        assert "Your address is changed" in local.post(path).text


def test_the_wrong_mailbox_can_stop_a_change(world: App, local: Browser, link: str) -> None:
    local.post(f"{link}/address", data={"email": "wrong@example.org"})
    stop = path_of(world, "change:1")
    assert "Keep the address as it is?" in local.get(stop).text
    assert "This is settled" in local.post(stop, data={"List-Unsubscribe": "One-Click"}).text
    assert "This is settled" in local.get(stop).text
    for path in links_in_mail(world, "address").values():
        assert local.post(path).status_code == 400
    assert [(s.subscriber.email, s.state) for s in readers(world)] == [("reader@example.org", "active")]


@pytest.mark.parametrize(("email", "status"), [
    ("other@example.org", 200), ("reader@example.org", 200), ("nobody", 422), ("x@mailinator.com", 422), ("", 422)])
def test_the_page_tells_nothing_of_other_readers(
    world: App, local: Browser, link: str, email: str, status: int
) -> None:
    with world.engine.begin() as conn:
        subscribers.subscribe(conn, "quiet", "other@example.org", "operator", NOW)
    assert local.post(f"{link}/address", data={"email": email}).status_code == status


def test_data_is_shown_and_erased_by_a_link_to_the_address(world: App, local: Browser, link: str) -> None:
    assert "Look into your mailbox" in local.post(f"{link}/data").text
    [path] = links_in_mail(world, "data").values()
    assert "Download it" in local.get(path).text
    answer = local.post(path)
    assert answer.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    assert json.loads(answer.text)["address"] == "reader@example.org"
    assert local.post(f"{path}/erase").status_code == 422
    assert [s.state for s in readers(world)] == ["active"]
    assert "You are erased" in local.post(f"{path}/erase", data={"sure": "yes"}).text
    assert readers(world) == []
    for answer in (local.get(path), local.post(path), local.post(f"{path}/erase", data={"sure": "yes"})):
        assert answer.status_code == 400 and "used already" in answer.text
    assert "You have left Kazakhstan News" in local.get(link).text
    assert local.post(f"{link}/data").status_code == 404
    assert local.post(f"{link}/preferences", data=WHOLE).status_code == 404


def test_who_has_alerts_alone_gets_at_their_data_too(world: App, local: Browser) -> None:
    with world.engine.begin() as conn:
        owner = subscribers.ensure(conn, "analyst@example.org", "operator", NOW)
        alert_rules.add(conn, "gas", AlertSpec(query="gas"), owner.email, NOW)
    for mark in ("alert:1", f"alerts:{owner.id}"):
        path = path_of(world, mark)
        assert f'action="{path}/data"' in local.get(path).text
        assert local.post(f"{path}/data").status_code == 200
    assert links_in_mail(world, "data").keys() == {"analyst@example.org"}


def test_who_left_has_no_preferences(world: App, local: Browser, link: str) -> None:
    local.post(link)
    assert 'name="frequency"' not in local.get(link).text
    assert local.post(f"{link}/preferences", data=WHOLE).status_code == 404
    assert local.post(f"{link}/address", data={"email": "new@example.org"}).status_code == 404


def test_forms_that_send_mail_are_limited(world: App, link: str) -> None:
    browser = Browser(create_app(world, preview_token=TOKEN, heartbeat=lambda: NOW), client="203.0.113.1")
    answers = [browser.post(f"{link}/data").status_code for _ in range(21)]
    assert answers == [200] * 20 + [429]
    with world.engine.begin() as conn:  # one a minute, five a day
        assert len(ledger.deliveries_in(conn, DeliveryState.QUEUED)) == 1


PAGES = {"unsubscribe": ["/u/{}", "/a/{}", "/u/{}/preferences", "/u/{}/address", "/u/{}/data", "/a/{}/data"],
         "confirm": ["/sign-up/kazakhstan/{}"], "address": ["/u/address/{}"],
         "data": ["/u/data/{}", "/u/data/{}/erase"]}
KINDS = [(kind, page) for kind, pages in PAGES.items() for page in pages]
VALUES = {"unsubscribe": "subscription:1", "confirm": "1:active:", "address": "1:old", "data": "1:x:en"}


@pytest.mark.parametrize("bad", ["expired", "forged", "foreign", "oversized", "garbage", "vanished", "huge number"])
@pytest.mark.parametrize(("kind", "page"), KINDS)
def test_every_token_page_withstands_bad_links(world: App, local: Browser, link: str, kind: str, page: str, bad: str
                                               ) -> None:
    signer, value = world.signer(), VALUES[kind]
    good = signer.sign(kind, value)
    token = {
        "expired": signer.sign(kind, value, expires_at=NOW - timedelta(seconds=1)),
        "forged": good[:-2] + ("AA" if good[-2:] != "AA" else "BB"),
        "foreign": signer.sign("confirm" if kind == "unsubscribe" else "unsubscribe", value),
        "oversized": good + "x" * 5000, "garbage": "%00%F0%9F%92%A9..%2e", "vanished": signer.sign(
            kind, value.replace("1", "999999")), "huge number": signer.sign(kind, value.replace("1", "9" * 30)),
    }[bad]
    before = readers(world)
    for answer in (local.post(page.format(token), data={**WHOLE, "email": "new@example.org", "sure": "yes"}),
                   local.get(page.format(token))):
        assert answer.status_code in {400, 404, 405} and "<html" in answer.text
        assert "reader@example.org" not in answer.text
    assert readers(world) == before


@pytest.mark.parametrize("page", ["/sign-up/kazakhstan", "{}/preferences", "{}/address", "/u/data/{}/erase"])
def test_every_form_withstands_what_is_too_large(world: App, local: Browser, link: str, page: str) -> None:
    path = page.format(world.signer().sign("data", "1:x:en") if "data" in page else link)
    before = readers(world)
    for body in (b"email=" + b"a" * 9000, b"sure=yes&" * 2000):
        answer = local.post(path, content=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status_code == 413
    assert readers(world) == before
