"""Pages for readers, as a browser, a mail program and a link scanner use them."""

import re
from datetime import timedelta
from typing import Any

import pytest

from digest.app import App
from digest.model import DeliveryState
from digest.services import envelopes, leaving, subscribers
from digest.storage import deliveries as ledger
from digest.web.app import create_app
from tests.web.browser import Browser
from tests.web.worlds import NOW, TOKEN

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def confirmations(world: App) -> list[str]:
    """Paths of the confirmation links that were queued."""
    with world.engine.begin() as conn:
        queued = ledger.deliveries_in(conn, DeliveryState.QUEUED)
    return [re.search(r"https?://[^/]+(/sign-up/kazakhstan/\S+)", d.message.text)[1] for d in queued]  # type: ignore[index]


def subscribed(world: App, email: str = "reader@example.org", newsletter: str = "kazakhstan") -> str:
    """A new active subscription's mark."""
    with world.engine.begin() as conn:
        return leaving.subscription_mark(
            subscribers.subscribe(conn, newsletter, email, "operator", NOW).subscription.id)


def state(world: App, email: str = "reader@example.org") -> list[str]:
    with world.engine.begin() as conn:
        return [s.state for s in subscribers.subscriptions_to(conn, "kazakhstan") if s.subscriber.email == email]


def path_of(world: App, mark: str) -> str:
    return "/" + envelopes.unsubscribe_url(world.settings, world.signer(), mark).split("/", 3)[3]


def test_signing_up_confirming_and_leaving(world: App, local: Browser) -> None:
    assert 'action="/sign-up/kazakhstan"' in local.get("/sign-up/kazakhstan").text
    answer = local.post("/sign-up/kazakhstan", data={"email": "Reader@example.org"})
    assert answer.status_code == 200 and "Look into your mailbox" in answer.text
    [link] = confirmations(world)
    page = local.get(link)
    assert page.status_code == 200 and "<form method=\"post\"" in page.text
    assert state(world) == ["pending"]
    assert "You are signed up to Kazakhstan News" in local.post(link).text
    assert state(world) == ["active"]
    assert "You are signed up" in local.get(link).text
    with world.engine.begin() as conn:
        [reader] = subscribers.active_subscriptions(conn, "kazakhstan")
    leave = path_of(world, leaving.subscription_mark(reader.id))
    assert "Leave Kazakhstan News" in local.get(leave).text
    assert "You have left Kazakhstan News" in local.post(leave).text
    assert state(world) == ["left"]
    assert local.post(link).status_code == 400
    assert state(world) == ["left"]


def test_every_address_gets_the_same_answer(world: App, local: Browser) -> None:
    subscribed(world, "reads@example.org")
    answers = {local.post("/sign-up/kazakhstan", data={"email": email}).text
               for email in ("new@example.org", "reads@example.org", "new@example.org")}
    assert len(answers) == 1
    assert len(confirmations(world)) == 1


def test_a_machine_in_the_trap_is_answered_and_ignored(world: App, local: Browser) -> None:
    answer = local.post("/sign-up/kazakhstan", data={"email": "reader@example.org", "website": "http://spam.example"})
    assert answer.status_code == 200 and "Look into your mailbox" in answer.text
    assert state(world) == [] and confirmations(world) == []


@pytest.mark.parametrize("data", [{"email": "nobody"}, {"email": ""}, {}, {"email": "a@b.example\r\nBcc: c@d.example"},
                                  {"email": "<script>alert(1)</script>@example.org"}, {"email": "x@mailinator.com"}])
def test_a_bad_address_is_refused_on_the_form(world: App, local: Browser, data: dict[str, str]) -> None:
    answer = local.post("/sign-up/kazakhstan", data=data)
    assert answer.status_code == 422 and "This address cannot be used" in answer.text
    assert "<script" not in answer.text
    assert confirmations(world) == []


def test_one_network_may_post_so_many_forms(world: App) -> None:
    web = create_app(world, preview_token=TOKEN, heartbeat=lambda: NOW)
    near = [Browser(web, client=f"203.0.113.{n}") for n in range(21)]
    answers = [browser.post("/sign-up/kazakhstan", data={"email": f"r{n}@example.org"})
               for n, browser in enumerate(near)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    assert answers[-1].headers["retry-after"] == "3600" and "Too many forms" in answers[-1].text
    assert len(confirmations(world)) == 20
    assert Browser(web, client="198.51.100.1").post("/sign-up/kazakhstan", data={"email": "x@example.org"}).is_success


@pytest.mark.parametrize(("body", "status"), [
    (b"email=" + b"a" * 9000, 413), (b"\xff\xfe=\xff", 422), (b"&".join([b"a=1"] * 50), 422), (b"{}", 422)])
def test_a_form_that_is_none_is_refused(local: Browser, body: bytes, status: int) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert local.post("/sign-up/kazakhstan", content=body, headers=headers).status_code == status


def test_another_newsletter_is_not_found(local: Browser) -> None:
    assert local.get("/sign-up/moon").status_code == 404
    assert local.post("/sign-up/moon", data={"email": "reader@example.org"}).status_code == 404


@pytest.mark.parametrize("body", [
    {"data": ONE_CLICK}, {"files": {"List-Unsubscribe": (None, "One-Click")}},  # RFC 8058 §3.2 names both encodings
    {}, {"json": {}}, {"content": b"x" * 100_000}])
def test_one_click_needs_no_cookie_and_twice_is_once(world: App, local: Browser, body: dict[str, Any]) -> None:
    path = path_of(world, subscribed(world))
    for _ in range(2):
        answer = local.post(path, follow_redirects=False, **body)
        assert answer.status_code == 200 and "set-cookie" not in answer.headers
        assert state(world) == ["left"]


def test_a_link_scanner_changes_nothing(world: App, local: Browser) -> None:
    path = path_of(world, subscribed(world))
    local.post("/sign-up/kazakhstan", data={"email": "new@example.org"})
    for link in [path, *confirmations(world)]:
        assert local.get(link).status_code == 200
        assert local.ask("HEAD", link).status_code in {200, 405}
    assert state(world) == ["active"] and state(world, "new@example.org") == ["pending"]


def test_what_stays_is_said(world: App, local: Browser) -> None:
    subscribed(world, newsletter="quiet")
    assert "You still get Quiet News" in local.post(path_of(world, subscribed(world))).text


def test_a_test_mails_link_says_so(world: App, local: Browser) -> None:
    for answer in (local.get(path_of(world, leaving.TEST)), local.post(path_of(world, leaving.TEST))):
        assert answer.status_code == 200 and "This was a test mail" in answer.text


@pytest.mark.parametrize("kind", ["u", "a", "sign-up/kazakhstan"])
@pytest.mark.parametrize("token", ["x", "a.b", "%00", "x" * 5000, "WyJ0ZXN0IiwwXQ.AAAA", "..%2f..", "%F0%9F%92%A9"])
def test_bad_links_are_answered_in_plain_words(local: Browser, kind: str, token: str) -> None:
    for answer in (local.get(f"/{kind}/{token}"), local.post(f"/{kind}/{token}", data=ONE_CLICK)):
        assert answer.status_code in {400, 404, 405}
        assert "<html" in answer.text


def test_expired_foreign_and_vanished_links_do_not_work(world: App, local: Browser) -> None:
    signer = world.signer()
    mark = subscribed(world)
    links = {
        f"/u/{signer.sign('confirm', mark)}": 400,
        f"/u/{signer.sign('unsubscribe', mark, expires_at=NOW - timedelta(seconds=1))}": 400,
        f"/u/{signer.sign('unsubscribe', 'subscription:999')}": 404,
        f"/a/{signer.sign('unsubscribe', 'alert:999')}": 404,
        f"/sign-up/quiet/{signer.sign('confirm', '1:x')}": 400,
        f"/sign-up/kazakhstan/{signer.sign('unsubscribe', mark)}": 400,
    }
    for link, status in links.items():
        assert local.get(link).status_code == status
        assert local.post(link).status_code == status
    assert state(world) == ["active"]


def test_pages_for_readers_speak_the_newsletters_language(world: App, local: Browser) -> None:
    news = world.configuration.newsletters
    world.configuration.newsletters["kazakhstan"] = news["kazakhstan"].model_copy(update={"language": "kk"})  # type: ignore[index]
    leave = path_of(world, subscribed(world))
    pages = [local.get("/sign-up/kazakhstan"), local.post("/sign-up/kazakhstan", data={"email": "new@example.org"}),
             local.post("/sign-up/kazakhstan", data={"email": "nobody"}), local.get(leave), local.post(leave)]
    for page, text in zip(pages, ("таратылымына жазылу", "Поштаңызды қараңыз", "Мекенжайды тексеріп", "Бас тартасыз ба",
                                  "Сіз бас тарттыңыз"), strict=True):
        assert '<html lang="kk"' in page.text and text in page.text
