"""From a feed over HTTP to the mail and the pages: an edition of the shape of a regional news page.

An agency's election story with a foreign time stamp, a dateline and a bare-line subhead, shown in full; six stories of
the parent region; no story for any other section.
"""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from digest.app import App, open_app
from digest.pipeline.view import EditionView
from digest.resources import template_texts
from digest.services import editions, releases
from digest.services.replay import SimulatedClock
from digest.web.app import create_app
from tests.web.browser import Browser

NOW = datetime(2023, 3, 20, 2, 0, tzinfo=UTC)
LEAD = """<item><title>Governing Party Keeps Kazakh Lower House: Exit Polls</title><guid>lead-1</guid>
<link>http://{host}/lead-1</link><author>Voice of America</author><pubDate>20 Mar 2023, 08:06 GMT+10</pubDate>
<description><![CDATA[ALMATY - The governing party kept its hold on the lower house in an early vote on Sunday, two exit
polls said.<br><br>Fewer people came to the polls than five years ago, the election commission said late in the evening.
<br><br>Early vote<br><br>The chamber was not due for renewal until the year after next, but the president called the
vote ahead of time.<br><br>'We came because our neighbours came,' said a teacher in Almaty.]]></description></item>"""
OTHERS = {
    "tashkent-post": ("Uzbekistan", ("Dam above Samarkand refilled after dry winter", "Cotton sown two weeks early")),
    "bishkek-mail": ("Kyrgyzstan", ("Border market opens again at Dostuk", "Glacier loses four metres in a year")),
    "asia-letter": ("Central Asia", ("Railway ministers agree on a common ticket", "Book fair draws eleven countries")),
}
RSS = '<?xml version="1.0"?><rss version="2.0"><channel><title>{title}</title>{items}</channel></rss>'
ITEM = ("<item><title>{title}</title><guid>{n}</guid><link>http://{host}/{n}</link>"
        "<pubDate>Sun, 19 Mar 2023 {hour}:10:00 +0000</pubDate>"
        "<description>{title}, officials said on Sunday.</description></item>")


class Handler(BaseHTTPRequestHandler):
    feeds: ClassVar[dict[str, str]] = {}

    def do_GET(self) -> None:
        body = self.feeds[self.path].encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/rss+xml; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    host = f"127.0.0.1:{server.server_address[1]}"
    Handler.feeds = {"/regional-wire": RSS.format(title="Regional Wire", items=LEAD.format(host=host))}
    for hour, (name, (_, titles)) in enumerate(OTHERS.items(), start=15):
        items = "".join(
            ITEM.format(title=title, n=f"{name}-{n}", host=host, hour=hour) for n, title in enumerate(titles))
        Handler.feeds[f"/{name}"] = RSS.format(title=name, items=items)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield host
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def app(site: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An instance that has polled its feeds and approved its edition at NOW."""
    root = tmp_path_factory.mktemp("instance")
    _write_configuration(root, site)
    with open_app(str(root), clock=SimulatedClock(NOW)) as opened:
        asyncio.run(_poll(opened))
        newsletter = opened.configuration.newsletters["kazakhstan"]
        built = releases.build_and_approve(
            opened.engine, opened.configuration, newsletter, opened.settings, template_texts(None), now=NOW)
        assert built.edition is not None
        releases.queue_deliveries(opened.engine, built.edition, newsletter, opened.settings, now=NOW)
        yield opened


def _write_configuration(root: Path, host: str) -> None:
    sources = ['[[sources]]\nslug = "regional-wire"\nname = "Regional Wire"\n[[sources.feeds]]\n'
               f'url = "http://{host}/regional-wire"\nregion = "Kazakhstan"\nlanguage = "en"\nbody = "full"\n']
    sources += [f'[[sources]]\nslug = "{name}"\nname = "{name.title()}"\n[[sources.feeds]]\nurl = "http://{host}/{name}"\n'
                f'region = "{region}"\nlanguage = "en"\n' for name, (region, _) in OTHERS.items()]
    documents = {
        "digest.toml": '[polling]\nallow = ["127.0.0.0/8"]\n[site]\nurl = "https://news.example.org"\n',
        "newsletters/kazakhstan.toml": 'name = "Kazakhstan News"\ntagline = "The steppe, every day."\n'
                                       'region = "Kazakhstan"\nzone = "Asia/Almaty"\nregions = ["Central Asia"]\n',
        "sources/all.toml": "\n".join(sources),
    }
    for name, text in documents.items():
        path = root / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


async def _poll(app: App) -> None:
    async with app.cycle() as cycle:
        report = await cycle.run(app.configuration.feeds, configuration=app.configuration)
    assert [outcome for outcome in report.outcomes if outcome.failed] == []


@pytest.fixture(scope="module")
def view(app: App) -> EditionView:
    with app.engine.connect() as conn:
        edition = editions.list_editions(conn, "kazakhstan")[0]
    return edition.view


@pytest.fixture(scope="module")
def mail(app: App, view: EditionView) -> str:
    return editions.renderer_of(template_texts(None), app.settings).html(view)


@pytest.fixture(scope="module")
def web(app: App) -> Browser:
    return Browser(create_app(app, preview_token="token", heartbeat=lambda: NOW))


def test_the_masthead_has_the_long_date_of_the_zone(mail: str) -> None:
    assert "Monday, March 20, 2023" in mail


def test_the_lead_names_agency_place_and_local_time(view: EditionView, mail: str) -> None:
    assert view.lead is not None
    assert (view.lead.credit, view.lead.place) == ("Voice of America", "Almaty")
    assert "04:06 UTC+6" in mail


def test_the_subhead_is_a_heading_and_never_in_an_excerpt(view: EditionView, mail: str) -> None:
    assert view.lead is not None
    assert "Early vote</h2>" in mail
    assert [block.kind for block in view.lead.body if block.text == "Early vote"] == ["h2"]
    assert all("Early vote" not in story.excerpt for story in view.all_stories)
    assert view.lead.excerpt.startswith("The governing party kept")


def test_the_parent_region_follows_and_no_section_is_empty(view: EditionView, mail: str) -> None:
    assert [(section.title, len(section.stories)) for section in view.sections] == [("More Central Asia News", 6)]
    assert "More Central Asia News" in mail
    assert "Latest from" not in mail


def test_all_seven_stories_open_as_a_page(mail: str, view: EditionView, web: Browser) -> None:
    assert 'href="https://news.example.org/kazakhstan/2023-03-20/all"' in mail
    assert "All 7 stories" in mail
    page = web.get("/kazakhstan/2023-03-20/all")
    assert page.status_code == 200
    assert [story.headline for story in view.all_stories if story.headline not in page.text] == []


def test_the_sign_up_box_is_on_the_page_and_not_in_the_mail(mail: str, web: Browser) -> None:
    page = web.get("/kazakhstan/").text
    assert "<form" in page
    assert 'action="/sign-up/kazakhstan"' in page
    assert "The steppe, every day." in page
    assert "<form" not in mail


def test_an_approved_edition_keeps_its_bytes_when_more_is_polled(app: App, view: EditionView, mail: str) -> None:
    Handler.feeds["/asia-letter"] = RSS.format(title="asia-letter", items=ITEM.format(
        title="Governing party wins, officials say", n="late", host="127.0.0.1", hour=22))
    assert isinstance(app.clock, SimulatedClock)
    app.clock.set(datetime(2023, 3, 21, 2, 0, tzinfo=UTC))
    asyncio.run(_poll(app))
    newsletter = app.configuration.newsletters["kazakhstan"]
    with app.engine.connect() as conn:
        again = editions.preview(conn, app.configuration, newsletter, app.settings, template_texts(None),
                                 now=app.clock.now(), date=datetime.fromisoformat(view.date).date())
    assert editions.renderer_of(again.templates, app.settings).html(again.view) == mail
