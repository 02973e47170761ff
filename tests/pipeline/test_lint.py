"""Each rule finds the fault it is there for, and nothing in a good edition."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from digest.documents import Newsletter
from digest.pipeline import lint as lint_module
from digest.pipeline.lint import Finding, Limits, errors_of, lint
from digest.pipeline.render import Renderer
from digest.pipeline.view import EditionView, SectionView, ThemeView
from digest.resources import template_texts
from tests.pipeline import views

RENDERER = Renderer(template_texts(None))
NEWSLETTER = Newsletter(slug="kazakhstan", name="Kazakhstan News", region="Kazakhstan", regions=("Kazakhstan",))


def findings(
    view: EditionView = views.EDITION, old: str = "", new: str = "", *, text_old: str = "", text_new: str = "",
    newsletter: Newsletter = NEWSLETTER, sends: bool = True, limits: Limits | None = None, count: int = -1,
) -> tuple[Finding, ...]:
    """Of the rendered view after `old` became `new` in its HTML and `text_old` `text_new` in its text."""
    message = RENDERER.message(view)
    assert old in message.html and text_old in message.text
    html = message.html.replace(old, new, count) if old else message.html
    text = message.text.replace(text_old, text_new) if text_old else message.text
    return lint(view, html, text, newsletter, limits, sends=sends, base="http://localhost:8080")


def test_a_good_edition_has_no_findings() -> None:
    assert findings() == ()
    assert findings(views.SEED_SHAPE) == ()


def test_an_edition_without_stories_or_site_is_no_error() -> None:
    assert errors_of(findings(views.EMPTY)) == ()


LINK = f'<a href="{views.LEAD.url}"'
FAULTS = [  # code, level, what is done to the HTML
    ("image-alt", "error", "</body>", f'<img src="{views.EDITION.site_url}/logo.png"></body>'),
    ("image-unknown", "error", "</body>", '<img src="https://news.example/1.png" alt="A ship"></body>'),
    ("tracking", "error", "</body>", '<img src="https://count.example/x.gif" alt="" width="1" height="1"></body>'),
    ("tracking", "error", "</style>", "p { background-image: url(https://count.example/x) }</style>"),
    ("language", "error", '<html lang="en" dir="ltr">', "<html>"),
    ("language", "error", ' lang="en" dir="ltr">\n', ">\n"),
    ("layout-table", "error", ' role="presentation"', ""),
    ("headings", "error", "</body>", "<h1>Another</h1></body>"),
    ("headings", "error", "</body>", "<h2></h2></body>"),
    ("headings", "error", "</h1>", "</h1><h4>A level left out</h4>"),
    ("contrast", "error", "</body>", '<p style="color: #999999">Faint in light</p></body>'),
    ("contrast", "error", "</body>", '<table role="presentation" lang="en" dir="ltr" class="column"><tr><td '
                                     'style="color: #333333">Faint in dark</td></tr></table></body>'),
    ("link", "error", LINK, '<a href="/politics"'),
    ("link", "error", LINK, '<a href="javascript:alert(1)"'),
    ("link", "error", LINK, "<a"),
    ("link", "error", LINK, '<a href="http://[::1"'),
    ("link", "error", "</body>", f'<a href="{views.LEAD.url}"></a></body>'),
    ("unknown-host", "error", "</body>", '<a href="https://count.example/r?u=1">Read</a></body>'),
    ("active", "error", "</body>", "<script>alert(1)</script></body>"),
    ("active", "error", "<body ", '<body onload="x()" '),
    ("parity", "error", LINK, '<a href="https://steppe-wire.example/elsewhere"'),
    ("parity", "error", "Ice Road Closes Early", "Another headline"),
    ("unsubscribe", "error", "Unsubscribe or change", "</a><a>Unsubscribe or change"),
    ("mark", "error", "</body>", "<p>%%name%%</p></body>"),
    ("reason", "warning", "%%reason%%", ""),
]


@pytest.mark.parametrize(("code", "level", "old", "new"), FAULTS)
def test_a_fault_in_the_html_is_found(code: str, level: str, old: str, new: str) -> None:
    if code == "unsubscribe":
        found = findings(views.EDITION, "%%unsubscribe%%", views.EDITION.site_url, count=1)
    else:
        found = findings(views.EDITION, old, new)
    assert (code, level) in {(finding.code, finding.level) for finding in found}


TEXT_FAULTS = [
    ("parity", "error", views.LEAD.url, "", "text: Governing Bloc"),
    ("parity", "error", "Ice Road Closes Early", "Another headline", "text: Ice Road"),
    ("unsubscribe", "error", "%%unsubscribe%%", "", "text"),
    ("mark", "error", "%%reason%%", "%%reason%% %%other%%", "text"),
    ("reason", "warning", "%%reason%%", "", "text"),
]


@pytest.mark.parametrize(("code", "level", "old", "new", "where"), TEXT_FAULTS)
def test_a_fault_in_the_text_is_found(code: str, level: str, old: str, new: str, where: str) -> None:
    (found,) = findings(text_old=old, text_new=new)
    assert (found.code, found.level) == (code, level) and found.where.startswith(where)


BARE = SectionView("bare", "topic", "Bare", ())
VIEW_FAULTS = [
    ("subject", "error", replace(views.EDITION, subject=" ")),
    ("subject", "error", replace(views.EDITION, subject="x" * 151)),
    ("subject", "warning", replace(views.EDITION, subject="x" * 79)),
    ("empty-section", "error", replace(views.EDITION, sections=(*views.EDITION.sections, BARE))),
    ("story-twice", "error", replace(views.EDITION, rest=(views.LEAD,))),
    ("typo", "warning", replace(views.EDITION, tagline="Things worth talking about over drinks.and more")),
    ("cadence", "warning", replace(views.EDITION, period="weekly")),  # its tagline says "A daily letter"
    ("cadence", "warning", replace(views.EDITION, name="Kazakhstan Weekly")),
    ("postal-address", "warning", replace(views.EDITION, postal_address="")),
]


@pytest.mark.parametrize(("code", "level", "view"), VIEW_FAULTS)
def test_a_fault_in_the_view_is_found(code: str, level: str, view: EditionView) -> None:
    assert [(finding.code, finding.level) for finding in findings(view)] == [(code, level)]


def test_a_tagline_is_daily_on_five_days_a_week_or_more() -> None:
    week = ("mon", "tue", "wed", "thu", "fri")
    assert findings(newsletter=NEWSLETTER.model_copy(update={"days": week})) == ()
    (found,) = findings(newsletter=NEWSLETTER.model_copy(update={"days": week[:4]}))
    assert found.code == "cadence" and "4 days a week" in found.message


def test_no_postal_address_is_asked_for_where_no_mail_leaves() -> None:
    assert findings(replace(views.EDITION, postal_address=""), sends=False) == ()


@pytest.mark.parametrize(("error", "warning", "level"), [(10_000, 5_000, "error"), (200_000, 5_000, "warning")])
def test_a_heavy_mail_is_found(error: int, warning: int, level: str) -> None:
    (found,) = findings(limits=Limits(html_error_bytes=error, html_warning_bytes=warning))
    assert (found.code, found.level) == ("html-size", level)


@pytest.mark.parametrize("headline", [
    "%%unsubscribe%% and %%name%%", "—", "<script>alert(1)</script> & more", "x" * 400,
    "A_very/long-" + "word" * 40 + " that\u00a0does\u200bnot wrap", "نشست تهران پایان یافت",
    "Цены   растут: “что” дальше?…"])
def test_no_headline_of_a_feed_holds_an_edition(headline: str) -> None:
    lead = replace(views.LEAD, headline=headline)
    first, *others = views.EDITION.sections
    changed = replace(first, stories=tuple(replace(story, headline=headline) for story in first.stories))
    assert errors_of(findings(replace(views.EDITION, lead=lead, sections=(changed, *others)))) == ()


def test_an_image_of_a_story_and_the_logo_are_known() -> None:
    view = replace(views.EDITION, lead=replace(views.LEAD, image_url="https://steppe-wire.example/vote.jpg"),
                   theme=ThemeView(logo_url="https://news.example.org/logo.png"))
    image = '<img src="https://steppe-wire.example/vote.jpg" alt=""></body>'
    assert findings(view, "</body>", image) == ()


def test_errors_come_first_and_say_where() -> None:
    found = findings(replace(views.EDITION, subject="x" * 79), "</h1>", "</h1><h1>Another</h1>")
    assert [finding.level for finding in found] == ["error", "warning"]
    assert found[0].message == "2 h1: there must be one"


def test_every_finding_is_explained_to_the_editor() -> None:
    source = Path(lint_module.__file__).read_text()
    guide = (Path(__file__).resolve().parents[2] / "docs" / "editor.md").read_text()
    codes = set(re.findall(r'_(?:error|warning)\("([a-z-]+)"', source))
    assert len(codes) > 15 and {code for code in codes if f"`{code}`" not in guide} == set()
