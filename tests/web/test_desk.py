"""What the web shows of the desk: drafts to editors alone, corrections to everybody."""

from datetime import timedelta

from digest.app import App
from digest.resources import template_texts
from digest.services import corrections, desk, editions
from digest.storage.editions import editions_of
from digest.storage.engine import read_only
from tests.web.browser import Browser
from tests.web.worlds import NOW, put_stories


def test_a_draft_is_previewed_as_it_stands_and_is_no_page_yet(world: App, local: Browser) -> None:
    _, other = put_stories(world)
    news = world.configuration.newsletters["quiet"]
    built = editions.build(world.engine, world.configuration, news, world.settings, template_texts(None), now=NOW)
    assert built.edition is not None
    desk.change(world.engine, built.edition, "edit", {"story": other, "headline": "Grain at Night"}, actor="anna",
                now=NOW)
    shell = local.get("/preview/quiet").text
    assert "a draft at the desk" in shell and "Grain at Night" in shell
    assert "Grain at Night" in local.get("/preview/quiet?format=text").text
    assert local.get("/quiet/2023-03-20/").status_code == 404
    assert "No edition yet" in local.get("/quiet/").text
    desk.approve(world.engine, desk_row(world), news, world.settings, template_texts(None), actor="anna", now=NOW,
                 despite_errors=True)
    assert local.get("/quiet/2023-03-20/").status_code == 404  # it is not released
    assert "approved: this is what goes out" in local.get("/preview/quiet").text


def test_a_correction_stands_on_the_editions_page(world: App, local: Browser) -> None:
    with read_only(world.engine) as connection:
        (edition,) = editions_of(connection, "kazakhstan")
    before = local.get("/kazakhstan/2023-03-20/").text
    assert "A correction" not in before
    corrections.correct(
        world.engine, edition, world.configuration.newsletters["kazakhstan"], world.settings,
        editions.renderer_of(template_texts(None), world.settings), text="It was <b>Sunday</b>.",
        story=edition.view.all_stories[0].id, mail=False, actor="anna", now=NOW + timedelta(hours=1))
    text = local.get("/kazakhstan/2023-03-20/").text
    assert "A correction" in text and "It was &lt;b&gt;Sunday&lt;/b&gt;." in text
    assert text.index("A correction") < text.index("<h1>")
    assert "A correction" in local.get("/kazakhstan/").text


def desk_row(world: App):  # type: ignore[no-untyped-def]
    with read_only(world.engine) as connection:
        return editions.stored_edition(connection, "quiet", NOW.date())
