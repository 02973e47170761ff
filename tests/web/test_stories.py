from digest.app import App
from tests.web.browser import Browser
from tests.web.worlds import put_stories


def test_a_story_shows_its_copies_in_local_time(world: App, local: Browser) -> None:
    first, _ = put_stories(world)
    text = local.get(f"/stories/{first}").text
    assert "<h1>Early Vote Called for the Second Sunday of April</h1>" in text
    assert 'href="https://steppe-wire.example/one"' in text
    assert "06:00 UTC+6, Mon 20 Mar" in text
    assert "Grain Terminal" not in text
    assert "1 independent source" in text
