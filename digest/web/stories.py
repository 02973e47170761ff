"""/stories/{id}: one story with its copies in the order in which they were seen, and why each joined."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from digest.app import App
from digest.documents import Configuration
from digest.model import DateQuality, Item, Join, Story
from digest.pipeline.compose import shown_time
from digest.pipeline.credit import credit
from digest.pipeline.excerpt import OTHER, excerpt
from digest.services.story_reports import StoryReport, report
from digest.storage.engine import read_only
from digest.storage.stories import joins_of, story_by_id
from digest.web.access import Access, token_query
from digest.web.pages import Pages


@dataclass(frozen=True, slots=True)
class Copy:
    """One item of a story as shown; `why` names the features that put it there, "" for the founding item."""

    title: str
    url: str
    language: str
    credit: str
    via: str | None
    place: str | None
    time: str
    time_kind: str
    excerpt: str
    reprint: bool
    why: str


def router(app: App, pages: Pages, access: Access) -> APIRouter:
    """The route of /stories/{id}; the id of a story that was merged into another still leads to it.

    Editors find a link there to /stories/{id}/why, which only they may see.
    """
    routes = APIRouter()

    @routes.get("/stories/{story_id}")
    def story_page(story_id: str, request: Request) -> HTMLResponse:
        values = story_values(app, story_id)
        if access.allows(request):
            values["why_link"] = f"/stories/{values['id']}/why{token_query(request)}"
        return pages.html("web/story.html", **values)

    @routes.get("/stories/{story_id}/why", dependencies=[Depends(access.check)])
    def why_page(story_id: str, request: Request) -> HTMLResponse:
        with read_only(app.engine) as connection:
            found = report(connection, story_id, app.configuration.names)
        return pages.html("web/preview-story.html", **why_values(found), query=token_query(request))

    return routes


def why_values(found: StoryReport) -> dict[str, Any]:
    """What editors are shown of how a story came about; times are in UTC."""
    lead = found.story.items[0]
    joins = [{
        "id": why.item.id, "title": why.item.title, "language": why.item.language, "source": why.item.feed.source.name,
        "at": f"{why.join.at:%Y-%m-%d %H:%M}", "story": why.join.story_id, "score": f"{why.join.score:.2f}",
        "points": ", ".join(f"{value:+.2f} {name}" for name, value in why.points), "shared": ", ".join(why.shared),
        "reprint_of": why.join.reprint_of, "moved": why.item.id in found.moved,
    } for why in found.joins]
    return {"id": found.story.id, "title": lead.title, "title_language": lead.language, "joins": joins,
            "history": [line for _, line in sorted(_history(found))]}


def _history(found: StoryReport) -> Iterator[tuple[datetime, str]]:
    """Merges and editors' acts with their times."""
    for one in found.merges:
        if one.edit is None:
            yield one.at, (f"{one.at:%Y-%m-%d %H:%M}: story {one.alias} merged into {one.story_id} "
                           f"with {one.similarity:.2f} points.")
    for edit in found.edits:
        yield edit.at, f"{edit.at:%Y-%m-%d %H:%M}: {edit.author} {edit.words}."


def story_values(app: App, story_id: str) -> dict[str, Any]:
    """What the page of a story shows. Raises NotFound."""
    with read_only(app.engine) as connection:
        story = story_by_id(connection, story_id)
        joins = {join.item_id: join for join in joins_of(connection, story.id)}
    zone = zone_of(story, app.configuration)
    lead, told = story.items[0], credit(story)
    return {
        "title": lead.title, "title_language": lead.language, "sources": len(story.families), "zone": zone,
        "copies": [copy_of(item, story, joins, ZoneInfo(zone)) for item in story.items],
        "id": story.id, "first_publisher": told.first.feed.source.name, "agency": told.agency, "why_link": "",
        "first_seen": lead.first_seen_at.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds"),
    }


def copy_of(item: Item, story: Story, joins: Mapping[str, Join], zone: ZoneInfo) -> Copy:
    """What the page shows of an item, under its feed's body policy."""
    source = item.feed.source.name
    agency = item.agency if item.agency and item.agency.casefold() != source.casefold() else None
    join = joins.get(item.id)
    return Copy(
        title=item.title, url=item.url, language=item.language, credit=agency or source, via=source if agency else None,
        place=item.place, time=shown_time(item, zone), time_kind=time_kind(item), excerpt=excerpt(item, OTHER),
        reprint=item.id in story.reprints, why=reasons(join) if join else "")


def time_kind(item: Item) -> str:
    """How far the shown time can be trusted, as in StoryView.time_kind."""
    if item.published_at is None:
        return "seen"
    return "day" if item.date_quality is DateQuality.DATE_ONLY else "published"


def reasons(join: Join) -> str:
    """The features of a join in words, largest first ("shared words 0.41, same place 0.20")."""
    features = sorted(join.features.items(), key=lambda pair: (-abs(pair[1]), pair[0]))
    return ", ".join(f"{name} {value:.2f}" for name, value in features if abs(value) >= 0.005)


def zone_of(story: Story, configuration: Configuration) -> str:
    """The zone of the first newsletter that takes a feed of the story; UTC where none does."""
    for newsletter in configuration.newsletters.values():
        if any(newsletter.takes(item.feed, configuration.gazetteer) for item in story.items):
            return newsletter.zone
    return "UTC"
