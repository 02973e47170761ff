"""Edition views built by hand, with invented news: what renderers and pages are tried on."""

from dataclasses import replace

from digest.model import Block
from digest.pipeline.view import Credit, EditionView, PartView, SectionView, StoryView, ThemeView

LEAD = StoryView(
    id="1ead000000000001",
    headline="Governing Bloc Keeps Its Majority in Early Vote: First Counts",
    language="en",
    url="https://steppe-wire.example/politics/early-vote",
    credit="Meridian News Agency",
    via="Steppe Wire",
    place="Almaty",
    time="2023-03-20T04:06:00+06:00",
    time_kind="published",
    excerpt="The governing bloc kept a comfortable majority in Sunday's early parliamentary vote, first counts showed. "
            "Turnout stood at 51.7 percent when polling stations closed.",
    body=(
        Block("p", "The governing bloc kept a comfortable majority in Sunday's early parliamentary vote, first counts "
                   "showed. Turnout stood at 51.7 percent when polling stations closed."),
        Block("p", "Six further lists cleared the threshold, the election office said, and eleven independents lead in "
                   "their districts."),
        Block("h2", "A changed chamber"),
        Block("p", "Nearly half of the new members have never sat in parliament before. Observers called the day calm, "
                   "with queues in the larger cities only towards the evening."),
    ),
    also_in=(
        Credit("Caspian Courier", "https://caspian-courier.example/20230320-vote"),
        Credit("The Silk Road Ledger", "https://silk-road-ledger.example/early-vote-result"),
        Credit("Тобол Жаршысы", "https://tobol.example/n/118"),
    ),
    sources=4,
    developing=False,
    whats_new="",
    note="",
    original_headline=None,
    region="Kazakhstan",
    topics=("Politics",),
    image_url=None,
    score=5.412,
    parts=(PartView("coverage", 2.322, "4 independent sources"), PartView("freshness", -0.33, "4 hours old"),
           PartView("region", 1.0, "of Kazakhstan"), PartView("topic: Politics", 2.42, "matched “vote”")),
)


def story(number: int, headline: str, credit: str, **changes: object) -> StoryView:
    """A story of one source with an excerpt; `changes` are fields of StoryView."""
    base = replace(
        LEAD, id=f"{number:016x}", headline=headline, url=f"https://news.example/{number}", credit=credit, via=None,
        place=None, time=f"2023-03-19T{10 + number % 12:02}:{number * 7 % 60:02}:00+06:00", body=(), also_in=(),
        sources=1, topics=(), score=round(3 - number / 10, 3),
        parts=(PartView("coverage", 1.0, "1 independent source"),),
        excerpt="Officials gave no date for the next round of talks.")
    return replace(base, **changes)  # type: ignore[arg-type]


POLITICS = SectionView("politics", "topic", "Politics", (
    story(2, "Parliament's Oldest Committee Meets in Public for the First Time", "Caspian Courier", place="Astana",
          developing=True, sources=2, excerpt="The budget committee opened its doors to visitors on Saturday. "
          "Its chair promised to publish every vote within a day.",
          also_in=(Credit("Steppe Wire", "https://steppe-wire.example/committee"),)),
    story(3, "В столице открыли приёмную для наблюдателей", "Вести Ишима", language="ru",
          excerpt="Приёмная будет работать до объявления окончательных итогов. Жалобы принимают на двух языках."),
))
ECONOMY = SectionView("economy", "topic", "Economy & trade", (
    story(4, "Grain Terminal at Aktau Doubles Its Night Shifts as Harvest Backlog Moves West", "The Silk Road Ledger",
          place="Aktau", excerpt="The port handled 41,000 tonnes last week, its most since the terminal opened. "
          "Shippers still wait nine days for a berth."),
    story(5, "Central Bank Holds Rate, Sees Slower Prices by Autumn", "Meridian News Agency", via="Steppe Wire",
          excerpt="The bank left its base rate where it was and trimmed its price forecast for the third time."),
))
LATEST = SectionView("latest", "latest", "More from Kazakhstan", (
    story(6, "Ice Road Closes Early on the Northern Lakes", "Tobol Herald", time="2023-03-19T00:00:00+06:00",
          time_kind="day", excerpt="Rescuers closed the crossing ten days before the usual date."),
    story(7, "A Museum of Lost Alphabets Opens in a Former Post Office", "Almaty Evening Page", time_kind="seen"),
))
MORE = SectionView("more", "more", "More Central Asia News", (
    story(8, "Osh Bazaar Traders Win Delay of Rebuilding", "Ala-Too Mirror", place="Osh", region="Kyrgyzstan"),
    story(9, "Tashkent Metro Adds Four Stations in One Night", "Chilanzar Post", place="Tashkent", region="Uzbekistan",
          sources=7, also_in=tuple(Credit(f"Paper {n}", f"https://paper{n}.example/metro") for n in range(1, 7))),
    story(10, "Dushanbe and Bishkek Agree on a Summer Timetable for Border Posts", "Pamir Today", region="Tajikistan"),
    story(11, "Caspian Level Falls Again; Ferries Change Their Route", "Balkan Gazette", region="Turkmenistan"),
    story(12, "Bishkek Bans Coal Stoves in Three Districts", "Ala-Too Mirror", region="Kyrgyzstan", excerpt=""),
    story(13, "Samarkand Paper Makers Revive Mulberry Bark", "Registan Weekly", region="Uzbekistan"),
))

EDITION = EditionView(
    period="daily",
    notice=None,
    trimmed=0,
    theme=ThemeView(),
    newsletter="kazakhstan", name="Kazakhstan News", tagline="A daily letter of things worth talking about over tea.",
    date="2023-03-20", zone="Asia/Almaty", language="en", region="Kazakhstan", parent_region="Central Asia",
    subject="Governing Bloc Keeps Its Majority in Early Vote",
    preheader="Oldest committee meets in public | Grain terminal doubles its night shifts | Tashkent metro grows",
    lead=LEAD, sections=(POLITICS, ECONOMY, LATEST, MORE),
    rest=(story(14, "Chess Clubs Return to School Timetables", "Tobol Herald"),
          story(15, "Saiga Herds Seen South of the Railway", "Steppe Wire")),
    minutes=5, cutoff="2023-03-20T02:00:00Z",
    rule="Stories first seen after 19 Mar 2023, 02:00 UTC, published at most 36 hours before it, not sent before.",
    empty_reason=None, missing_sources=("Ishim Radio",), site_url="https://news.example.org",
    postal_address="Region Digest, 1 Example Street, 050000 Almaty",
)

SEED_SHAPE = replace(EDITION, sections=(MORE,), rest=(), missing_sources=())

EMPTY = replace(
    EDITION, lead=None, sections=(), rest=(), minutes=1, subject="Kazakhstan News", preheader="",
    empty_reason="No story was first seen since the last edition.", missing_sources=(), site_url="", postal_address="")
