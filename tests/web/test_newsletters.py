from dataclasses import replace

from digest.app import App
from tests.pipeline import views
from tests.web.browser import Browser


def test_the_first_page_lists_newsletters(local: Browser) -> None:
    text = local.get("/").text
    assert '<a href="/kazakhstan/">Kazakhstan News</a>' in text
    assert '<a href="/quiet/">Quiet News</a>' in text
    assert "Monday, March 20, 2023" in text


def test_the_current_edition_has_the_seed_pages_order_and_a_sign_up_box(local: Browser) -> None:
    text = local.get("/kazakhstan/").text
    main = text[text.index("<main"):]
    order = ["Kazakhstan News", views.EDITION.tagline, "Monday, March 20, 2023", "<h1>", "Meridian News Agency",
             "Almaty", "04:06 UTC+6, Mon 20 Mar", '<h2 class="subhead">A changed chamber</h2>', "Politics",
             "More Central Asia News", "All 15 stories", "Sign up for Kazakhstan News", "Last editions"]
    places = [main.find(part) for part in order]
    assert -1 not in places and places == sorted(places)
    assert '<form method="post" action="/sign-up/kazakhstan">' in main
    assert 'inputmode="email"' in main
    assert "%%" not in text


def test_a_dated_edition_stays_at_its_address(local: Browser) -> None:
    assert local.get("/kazakhstan/2023-03-20/").text == local.get("/kazakhstan/").text


def test_all_stories_opens_and_counts_them(local: Browser) -> None:
    text = local.get("/kazakhstan/2023-03-20/all").text
    assert "<h1>All 15 stories</h1>" in text
    for story in views.EDITION.all_stories:
        assert story.url in text


def test_a_newsletter_without_an_edition_says_when_the_first_comes(local: Browser) -> None:
    text = local.get("/quiet/").text
    assert "No edition yet" in text and "07:00 UTC, Mon 20 Mar" in text
    assert '<form method="post" action="/sign-up/quiet">' in text


def test_a_missing_slash_leads_on(local: Browser) -> None:
    assert local.get("/kazakhstan", follow_redirects=False).headers["location"].endswith("/kazakhstan/")


def test_the_editions_of_a_retired_newsletter_keep_their_pages(world: App, local: Browser) -> None:
    world.configuration = replace(world.configuration, newsletters={})
    assert local.get("/kazakhstan/").status_code == 404
    assert local.get("/kazakhstan/2023-03-20/").status_code == 200
    assert local.get("/kazakhstan/2023-03-20/all").status_code == 200
