from digest.app import App
from digest.services.story_edits import merge
from digest.web.app import create_app
from tests.web.browser import Browser
from tests.web.worlds import NOW, TOKEN, put_stories


def test_a_story_shows_its_copies_in_local_time(world: App, local: Browser) -> None:
    first, _ = put_stories(world)
    text = local.get(f"/stories/{first}").text
    assert "<h1>Early Vote Called for the Second Sunday of April</h1>" in text
    assert 'href="https://steppe-wire.example/one"' in text
    assert "06:00 UTC+6, Mon 20 Mar" in text
    assert "Grain Terminal" not in text
    assert "1 independent source" in text


def test_a_story_says_who_published_it_first(world: App, local: Browser) -> None:
    first, _ = put_stories(world)
    text = local.get(f"/stories/{first}").text
    assert "first published by: Steppe Wire" in text
    assert "agency:" not in text


def test_editors_alone_are_told_why_a_story_has_its_items(world: App, local: Browser) -> None:
    remote = Browser(create_app(world, preview_token=TOKEN, heartbeat=lambda: NOW), client="192.0.2.7")
    first, second = put_stories(world)
    with world.engine.begin() as conn:
        merge(conn, first, second, author="ann", now=NOW, holder="test")
    story = min(first, second)
    shown = local.get(f"/stories/{story}").text
    assert f'href="/stories/{story}/why"' in shown
    why = local.get(f"/stories/{story}/why").text
    assert "Founded a story." in why
    assert "ann merged story" in why
    assert "/why" not in remote.get(f"/stories/{story}").text
    assert remote.get(f"/stories/{story}/why").status_code == 403
