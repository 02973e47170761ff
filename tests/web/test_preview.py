from dataclasses import replace

import pytest

from digest.app import App
from digest.documents import Weekly
from digest.web.preview import read_time
from tests.web.browser import Browser
from tests.web.worlds import TOKEN, put_stories

NOW = "2023-03-21T02:00:00Z"


def test_preview_lists_the_newsletters(local: Browser) -> None:
    assert 'href="/preview/kazakhstan"' in local.get("/preview").text


def test_the_shell_shows_bytes_rule_scores_and_fates(world: App, local: Browser) -> None:
    put_stories(world)
    text = local.get("/preview/quiet").text
    assert "bytes" in text and "Stories first seen after" in text
    assert "Early Vote Called" in text
    assert "coverage" in text and "chosen" in text
    assert "sandbox=" in text


def test_the_shell_shows_what_the_checks_found(world: App, local: Browser) -> None:
    put_stories(world)
    assert "Checked: nothing found." in local.get("/preview/quiet").text
    style = world.instance.templates / "email" / "edition.css"
    style.parent.mkdir(parents=True)
    style.write_text("p, h1, h3, td { color: #bbbbbb; }")
    text = local.get("/preview/quiet").text
    assert "<strong>error</strong> contrast: #bbbbbb on " in text


@pytest.mark.parametrize("look", ["mail", "phone", "dark", "phone-dark", "no-images", "text", "json"])
def test_every_look_opens(world: App, local: Browser, look: str) -> None:
    put_stories(world)
    answer = local.get("/preview/quiet", params={"look": look})
    assert answer.status_code == 200
    assert ("<pre>" in answer.text) == (look in {"text", "json"})
    assert ('class="frame phone"' in answer.text) == look.startswith("phone")


def test_the_framed_mail_runs_nothing_and_opens_links_outside(world: App, local: Browser) -> None:
    put_stories(world)
    answer = local.get("/preview/quiet", params={"format": "html"})
    assert "sandbox" in answer.headers["content-security-policy"]
    assert '<base target="_blank">' in answer.text
    assert "%%" not in answer.text and 'href="#"' in answer.text
    dark = local.get("/preview/quiet", params={"format": "html", "look": "dark"}).text
    assert "@media all {" in dark and "@media not all {" in answer.text  # whatever the editor's screen prefers
    no_images = local.get("/preview/quiet", params={"format": "html", "look": "no-images"})
    assert "img-src 'none'" in no_images.headers["content-security-policy"]


def test_text_and_json_come_as_they_are(world: App, local: Browser) -> None:
    put_stories(world)
    assert local.get("/preview/quiet", params={"format": "text"}).text.startswith("Quiet News\n")
    assert local.get("/preview/quiet", params={"format": "json"}).json()["newsletter"] == "quiet"


def test_one_now_gives_one_answer(world: App, local: Browser) -> None:
    put_stories(world)
    one, two = (local.get("/preview/kazakhstan", params={"now": NOW, "format": "html"}) for _ in range(2))
    assert one.content == two.content
    assert "Tuesday, March 21, 2023" in one.text


def test_a_day_with_an_approved_edition_shows_that_one(world: App, local: Browser) -> None:
    put_stories(world)
    answer = local.get("/preview/kazakhstan", params={"now": NOW, "date": "2023-03-20"})
    assert "approved: this is what goes out" in answer.text
    assert "Governing Bloc Keeps Its Majority" in answer.text and "Early Vote Called" not in answer.text
    plan = local.get("/preview/kazakhstan", params={"now": "2023-03-20T01:59:00Z", "date": "2023-03-20"})
    assert "a plan: what would go out" in plan.text and "Early Vote Called" in plan.text


def test_an_empty_preview_names_its_reason(local: Browser) -> None:
    assert "No item has been seen yet" in local.get("/preview/quiet", params={"format": "html"}).text


def test_links_keep_the_token(world: App, local: Browser) -> None:
    assert f"token={TOKEN}" in local.get("/preview/quiet", params={"token": TOKEN}).text


@pytest.mark.parametrize(("text", "instant"), [
    ("2023-03-20T02:00:00Z", "2023-03-20T02:00:00+00:00"),
    ("2023-03-20T08:00:00+06:00", "2023-03-20T02:00:00+00:00"),
    ("2023-03-20T08:00:00 06:00", "2023-03-20T02:00:00+00:00"),  # a plus sign that an address made a space
    ("2023-03-20T02:00", "2023-03-20T02:00:00+00:00"),
])
def test_times_are_read(text: str, instant: str) -> None:
    assert read_time(text).isoformat() == instant


@pytest.mark.parametrize(("parameter", "value", "status"), [("now", "tomorrow", 400), ("look", "loud", 422)])
def test_what_cannot_be_read_is_said(local: Browser, parameter: str, value: str, status: int) -> None:
    answer = local.get("/preview/quiet", params={parameter: value})
    assert answer.status_code == status
    assert "cannot be read" in answer.text


def test_it_shows_any_variant(world: App, local: Browser) -> None:
    put_stories(world)
    day = {"now": NOW, "date": "2023-03-20"}
    assert "Variant: <strong>default</strong>" in local.get("/preview/kazakhstan", params=day).text
    asked = {**day, "hide": "economy", "read": "en"}
    short = local.get("/preview/kazakhstan", params=asked).text
    assert "<strong>without economy reading en</strong>" in short and "hide=economy" in short
    assert 'value="economy" checked' in short and 'value="en" checked' in short and 'value="ru">' in short
    mail = local.get("/preview/kazakhstan", params={**asked, "format": "html"}).text
    assert "Grain Terminal" not in mail and "В столице" not in mail and "Osh Bazaar" in mail
    nothing = local.get("/preview/kazakhstan", params={**day, "read": "zz"}).text
    assert "no story is left: these readers get no mail" in nothing
    assert local.get("/preview/kazakhstan", params={"missed": "1000"}).status_code == 422


def test_it_speaks_another_interface_and_tells_of_missed_editions(world: App, local: Browser) -> None:
    put_stories(world)
    assert '<option value="ru">Russian</option>' in local.get("/preview/quiet").text
    assert '<html lang="ru"' in local.get("/preview/quiet", params={"language": "ru", "format": "html"}).text
    after = {"now": "2023-03-21T02:00:00Z", "missed": "1"}
    assert "since 2023-03-20" in local.get("/preview/kazakhstan", params=after).text
    told = local.get("/preview/kazakhstan", params={**after, "format": "json"}).json()["since"]
    assert [edition["path"] for edition in told["editions"]] == ["/kazakhstan/2023-03-20/"]


def test_it_switches_to_the_week_where_there_is_one(world: App, local: Browser) -> None:
    put_stories(world)
    assert "weekly=1" not in local.get("/preview/quiet").text
    newsletters = dict(world.configuration.newsletters)
    newsletters["quiet"] = newsletters["quiet"].model_copy(update={"weekly": Weekly(day="mon")})
    world.configuration = replace(world.configuration, newsletters=newsletters)
    assert "weekly=1" in local.get("/preview/quiet").text
    week = local.get("/preview/quiet", params={"weekly": "1", "format": "json"}).json()
    assert week["period"] == "weekly"
    assert 'name="weekly" value="1"' in local.get("/preview/quiet", params={"weekly": "1"}).text
