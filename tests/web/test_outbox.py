import os

import pytest

from digest.app import App
from tests.web.browser import Browser
from tests.web.worlds import put_mail


def test_an_empty_outbox_says_so(local: Browser) -> None:
    assert "Nothing yet." in local.get("/outbox").text


def test_mail_is_listed_newest_first(world: App, local: Browser) -> None:
    for age, name in ((20, "b.eml"), (10, "a.eml")):
        os.utime(put_mail(world, name, subject=f"Subject of {name}"), (1_700_000_000 - age,) * 2)
    text = local.get("/outbox").text
    assert text.index("Subject of a.eml") < text.index("Subject of b.eml")


def test_one_mail_shows_headers_html_in_a_frame_and_text(world: App, local: Browser) -> None:
    put_mail(world)
    text = local.get("/outbox/0001-anna.eml").text
    assert "anna@example.org" in text and "The text part." in text
    assert 'sandbox="allow-popups' in text and 'src="/outbox/0001-anna.eml/html"' in text
    part = local.get("/outbox/0001-anna.eml/html")
    assert "The HTML part." in part.text
    assert "sandbox" in part.headers["content-security-policy"]


@pytest.mark.parametrize("name", ["../secret.key", "..%2Fsecret.key", "%2e%2e%2fsecret.key", "secret.key"])
def test_no_name_leads_out_of_the_outbox(world: App, local: Browser, name: str) -> None:
    put_mail(world)
    (world.instance.var / "secret.key").write_text("hidden")
    answer = local.get(f"/outbox/{name}")
    assert answer.status_code == 404 and "hidden" not in answer.text
