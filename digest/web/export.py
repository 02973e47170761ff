"""The archive as files: what readers may see, rendered as the site renders it, with links that need no server."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from digest.app import App
from digest.errors import NotFound
from digest.pipeline.static_site import file_of, link_between, offline, stories_linked
from digest.pipeline.syndication import atom, json_feed
from digest.pipeline.view import EditionView
from digest.services import archive, corrections
from digest.services.archive import ArchivePage, current
from digest.services.envelopes import base_url
from digest.storage.archive import ArchiveDay
from digest.storage.editions import EditionRow
from digest.storage.engine import read_only
from digest.web.pages import Pages
from digest.web.stories import story_values

LISTED = 14  # editions that each edition's page lists; the newsletter's page lists all


@dataclass(frozen=True, slots=True)
class Shelf:
    """A newsletter with editions, as the first page lists it; named as in its newest edition."""

    slug: str
    name: str
    tagline: str
    region: str
    days: tuple[ArchiveDay, ...]  # newest first
    newest: ArchiveDay  # what its own page shows


def archive_files(app: App, pages: Pages) -> Iterator[tuple[str, bytes]]:
    """Every file of the archive with its path below the folder, each once. Equal archives give equal bytes.

    The pages of newsletters, editions and of the stories that these link to; feeds; the stylesheet.
    """
    yield from _Export(app, pages).files()


class _Export:
    """One export: of the editions that were there when it began."""

    def __init__(self, app: App, pages: Pages):
        self._app, self._pages = app, pages
        self._site_url = app.settings.site.url
        with read_only(app.engine) as conn:
            slugs = archive.archived_newsletters(conn)
        self._shelves = [self._shelf(slug) for slug in slugs]
        self._filed = {"/", "/static/site.css"}
        self._stories: dict[str, str | None] = {}  # id -> its page; None: no such story
        for shelf in self._shelves:
            self._filed |= {f"/{shelf.slug}/", f"/{shelf.slug}/feed.atom", f"/{shelf.slug}/feed.json"}
            self._filed |= {address for day in shelf.days for address in (day.path, f"{day.path}all")}

    def files(self) -> Iterator[tuple[str, bytes]]:
        yield "static/site.css", self._pages.renderer.templates["web/site.css"].encode()
        yield self._page("/", self._render("web/index.html", newsletters=self._shelves,
                                           latest={shelf.slug: shelf.newest for shelf in self._shelves}))
        for shelf in self._shelves:
            yield from self._newsletter(shelf)
        for story_id in list(self._stories):
            if (text := self._stories[story_id]) is not None:
                yield self._page(f"/stories/{story_id}", text)

    def _newsletter(self, shelf: Shelf) -> Iterator[tuple[str, bytes]]:
        for day in shelf.days:
            edition = self._edition(day)
            if day == shelf.newest:
                yield self._page(f"/{shelf.slug}/", self._edition_page(edition, shelf.days))
            yield self._page(day.path, self._edition_page(edition, shelf.days[:LISTED]))
            yield self._page(f"{day.path}all", self._view_page(edition.view, "all"))
        yield from self._feeds(shelf)

    def _feeds(self, shelf: Shelf) -> Iterator[tuple[str, bytes]]:
        with read_only(self._app.engine) as conn:
            editions = archive.published(conn, shelf.slug)
        for address, document in ((f"/{shelf.slug}/feed.atom", atom), (f"/{shelf.slug}/feed.json", json_feed)):
            channel = archive.channel_of(
                self._app.configuration, editions[0].view, shelf.slug, base=base_url(self._app.settings),
                link=None if self._site_url else partial(link_between, address))
            yield file_of(address), document(channel, editions).encode()

    def _shelf(self, slug: str) -> Shelf:
        with read_only(self._app.engine) as conn:
            days = archive.all_days(conn, slug)
        newest = current(days)
        assert newest is not None
        view = self._edition(newest).view
        return Shelf(slug, view.name, view.tagline, view.region, days, newest)

    def _edition(self, day: ArchiveDay) -> EditionRow:
        with read_only(self._app.engine) as conn:
            edition = archive.archived(conn, day.newsletter, day.date, day.period)
        assert edition is not None
        return edition

    def _edition_page(self, edition: EditionRow, listed: tuple[ArchiveDay, ...]) -> str:
        with read_only(self._app.engine) as conn:
            corrected = corrections.corrections_of(conn, edition)
        return self._view_page(edition.view, "edition", archive=ArchivePage(listed, None), before=None,
                               corrections=corrected)

    def _view_page(self, view: EditionView, kind: str, **values: Any) -> str:
        return self._pages.renderer.page(view, kind, site_name=self._pages.site_name, static=True, **values)

    def _render(self, name: str, **values: Any) -> str:
        return self._pages.renderer.render(name, site_name=self._pages.site_name, static=True, **values)

    def _page(self, address: str, html: str) -> tuple[str, bytes]:
        for story_id in stories_linked(html):
            self._find(story_id)
        return file_of(address), offline(html, address, self._is_filed, self._site_url).encode()

    def _is_filed(self, address: str) -> bool:
        return address in self._filed or self._stories.get(address.removeprefix("/stories/")) is not None

    def _find(self, story_id: str) -> None:
        """Renders the page of a story that is met for the first time."""
        if story_id not in self._stories:
            try:
                values = story_values(self._app, story_id)
            except NotFound:
                self._stories[story_id] = None
                return
            self._stories[story_id] = self._render("web/story.html", **values)
