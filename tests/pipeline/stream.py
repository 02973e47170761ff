"""A stream of made-up news for the clusterer: each event in the words of several outlets."""

from datetime import UTC, datetime, timedelta
from typing import Any

from digest.model import DateQuality, Feed, Item, Source, short_id

START = datetime(2026, 3, 2, 6, tzinfo=UTC)

EVENTS: dict[str, list[tuple[str, str, str]]] = {
    "dam": [
        ("steppe-post", "Spillway gates opened at Karatal dam after record snowmelt",
         "Engineers opened the spillway gates of the Karatal dam on Monday after the fastest snowmelt in thirty years, "
         "and 1,200 people in two villages downstream were told to leave their homes, the emergencies ministry said."),
        ("capital-wire", "Villages below Karatal dam evacuated as meltwater rises",
         "Some 1,200 residents of villages downstream of the Karatal dam have been evacuated as rising meltwater "
         "forced engineers to open its spillway, according to the ministry for emergencies."),
        ("valley-daily", "Karatal dam: 1,200 evacuated, spillway open",
         "Authorities evacuated 1,200 people below the Karatal dam. The spillway was opened because snowmelt filled "
         "the reservoir faster than at any time in three decades, officials at the emergencies ministry explained."),
        ("river-news", "Record snowmelt forces opening of Karatal spillway, homes emptied",
         "The gates of the Karatal dam were opened on Monday and residents downstream evacuated after record "
         "snowmelt."),
    ],
    "metro": [
        ("steppe-post", "Almaty metro to gain two stations by autumn",
         "The Almaty metro will open two new stations on its western line in September, the city's mayor told "
         "reporters, after tunnelling under Abai Avenue was completed six weeks ahead of plan."),
        ("capital-wire", "Two metro stations in Almaty to open in September, mayor says",
         "Almaty's mayor said two stations on the western metro line would open in September now that tunnellers have "
         "finished their work below Abai Avenue ahead of schedule."),
        ("valley-daily", "Tunnel finished: Almaty's western metro line nears opening",
         "Tunnelling for the western line of Almaty's metro is complete, and passengers may use its two stations from "
         "September, the mayor has announced."),
    ],
    "wrestling": [
        ("steppe-post", "Aigerim Sultan wins wrestling gold at Asian championships",
         "Wrestler Aigerim Sultan beat the defending champion from Japan in the final of the Asian championships in "
         "Amman to win gold in the 57-kilogram class, her first continental title."),
        ("river-news", "Gold for wrestler Sultan in Amman",
         "Aigerim Sultan took the 57 kg title at the Asian wrestling championships in Amman, defeating Japan's "
         "defending champion in the final for her first continental gold."),
    ],
    "пошлины": [
        ("ru:степь", "Казахстан обнулит пошлины на ввоз электробусов до конца года",
         "Правительство Казахстана решило обнулить ввозные пошлины на электрические автобусы до конца года, чтобы "
         "города быстрее обновили парк, сообщил министр транспорта на заседании в Астане."),
        ("ru:столица", "Пошлины на электробусы отменят до конца года",
         "Ввозные пошлины на электробусы в Казахстане отменят до конца года. По словам министра транспорта, это "
         "поможет городам скорее обновить автобусный парк."),
        ("ru:долина", "Электробусы будут ввозить в Казахстан без пошлин",
         "До конца года электрические автобусы можно будет ввозить в Казахстан без пошлин: так правительство намерено "
         "ускорить обновление городского парка, заявил министр транспорта."),
    ],
}


def news(source: str, title: str, summary: str = "", *, hours: float = 0, key: str = "", **changes: Any) -> Item:
    """An item of a source ("ru:NAME" writes Russian), first seen so many hours after START."""
    language, _, name = source.rpartition(":")
    feed = Feed(short_id(name), f"https://{short_id(name)}.example/feed", Source(short_id(name), name, short_id(name)))
    seen = START + timedelta(hours=hours)
    key = key or title
    url = f"https://{short_id(name)}.example/{short_id(key)}"
    values: dict[str, Any] = {
        "id": short_id(feed.id, key), "feed": feed, "key": key, "url": url, "canonical_url": url, "title": title,
        "summary": summary, "body": (), "agency": None, "place": None, "language": language or "en",
        "published_at": seen, "published_offset_minutes": 0, "date_quality": DateQuality.EXACT, "first_seen_at": seen,
    }
    return Item(**{**values, **changes})


def told(event: str, *, hours: float = 0) -> list[Item]:
    """The event as each of its outlets tells it, all first seen at one poll."""
    return [news(source, title, summary, hours=hours) for source, title, summary in EVENTS[event]]
