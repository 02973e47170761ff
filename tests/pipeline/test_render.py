"""Assertions read like the mail: what stands where, in every format."""

import json
import re
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser

import pytest

from digest.pipeline.render import Renderer, own_templates
from digest.pipeline.typography import typeset
from digest.pipeline.view import EditionView, SectionView, ThemeView, from_json, to_json
from digest.pipeline.wording import offset_name
from digest.resources import template_texts
from tests.pipeline import views

RENDERER = Renderer(template_texts(None))


class Outline(HTMLParser):
    """Headings, links and tables of a page."""

    def __init__(self, html: str):
        super().__init__()
        self.headings: list[tuple[str, str]] = []
        self.links: list[str] = []
        self.tables: list[dict[str, str | None]] = []
        self._open: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if re.fullmatch("h[1-6]", tag):
            self._open = tag
            self.headings.append((tag, ""))
        elif tag == "a":
            self.links.append(dict(attrs).get("href") or "")
        elif tag == "table":
            self.tables.append(dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        if tag == self._open:
            self._open = None

    def handle_data(self, data: str) -> None:
        if self._open:
            tag, text = self.headings[-1]
            self.headings[-1] = (tag, text + data)


def in_order(text: str, *parts: str) -> bool:
    places = [text.find(part) for part in parts]
    return -1 not in places and places == sorted(places)


SEED_ORDER = ("Kazakhstan News", "A daily letter of things", "Monday, March 20, 2023",
              "Governing Bloc Keeps Its Majority in Early Vote: First Counts", "Meridian News Agency", "Almaty",
              "04:06 UTC+6, Mon 20 Mar", "The governing bloc kept", "A changed chamber", "Also in:",
              "More Central Asia News", "Osh Bazaar", "All 7 stories", "%%reason%%", "1 Example Street")


@pytest.mark.parametrize("render", [RENDERER.html, RENDERER.text])
def test_the_mail_follows_the_order_of_the_seed_page(render) -> None:  # type: ignore[no-untyped-def]
    text = render(views.SEED_SHAPE)
    assert in_order(text[text.find("<table"):] if "<table" in text else text, *SEED_ORDER)


def test_headings_make_an_outline() -> None:
    headings = Outline(RENDERER.html(views.EDITION)).headings
    assert headings[0] == ("h1", views.LEAD.headline)
    assert ("h2", "A changed chamber") in headings
    assert [text for tag, text in headings if tag == "h2"][1:] == [s.title for s in views.EDITION.sections]
    assert [tag for tag, _ in headings].count("h1") == 1
    assert [text for tag, text in headings if tag == "h3"] == [
        typeset(story.headline, story.language) for section in views.EDITION.sections for story in section.stories]


def test_every_shown_story_stands_in_both_parts() -> None:
    message = RENDERER.message(views.EDITION)
    links = Outline(message.html).links
    flat = " ".join(message.text.split())
    for story in views.EDITION.all_stories[: -len(views.EDITION.rest)]:
        assert story.url in links and story.url in message.text
        assert " ".join(typeset(story.headline, story.language).split()) in flat


def test_text_lines_fit_78_columns_except_addresses() -> None:
    lines = RENDERER.text(views.EDITION).split("\n")
    assert [line for line in lines if len(line) > 78 and "://" not in line] == []


def test_the_mail_has_no_sign_up_box_and_no_third_party() -> None:
    html = RENDERER.html(views.EDITION)
    assert not re.search(r"<(form|input|script|img|link|iframe)\b", html)
    assert "url(" not in html
    known = {story.url for story in views.EDITION.all_stories} | {
        credit.url for story in views.EDITION.all_stories for credit in story.also_in}
    foreign = [link for link in Outline(html).links if link not in known]
    assert all(link.startswith("https://news.example.org/") or link.startswith("%%unsubscribe%%") for link in foreign)


def test_every_table_is_presentation_and_the_body_says_its_language() -> None:
    html = RENDERER.html(views.EDITION)
    assert all(table.get("role") == "presentation" for table in Outline(html).tables)
    assert '<html lang="en" dir="ltr"' in html
    assert re.search(r'<div role="article"[^>]* lang="en" dir="ltr">', html)


def test_a_story_in_another_language_says_so() -> None:
    html = RENDERER.html(views.EDITION)
    assert '<h3 lang="ru"' in html
    assert '<h3 lang="en"' not in html


def test_dark_mode_rules_survive_inlining() -> None:
    html = RENDERER.html(views.EDITION)
    assert "@media (prefers-color-scheme: dark)" in html
    assert "[data-ogsc]" in html and "[data-ogsb]" in html
    assert "!important" in html


def test_fifteen_stories_stay_far_below_the_clipping_size() -> None:
    assert len(RENDERER.html(views.EDITION).encode()) < 45_000


@pytest.mark.parametrize(("kind", "shown"), [
    ("published", "04:06 UTC+6, Mon 20 Mar"),
    ("day", "· Mon 20 Mar"),
    ("seen", "seen 04:06 UTC+6, Mon 20 Mar"),
])
def test_a_time_says_how_far_it_can_be_trusted(kind: str, shown: str) -> None:
    text = RENDERER.text(replace(views.EDITION, lead=replace(views.LEAD, time_kind=kind), sections=(), rest=()))
    assert shown in text
    assert ("04:06" in text) == (kind != "day")


@pytest.mark.parametrize(("language", "long_date"), [
    ("en", "Monday, March 20, 2023"),
    ("ru", "Понедельник, 20 марта 2023 г."),
    ("kk", "2023 ж. 20 наурыз, дүйсенбі"),
    ("xx", "Monday, March 20, 2023"),  # unknown to the locale data: English
])
def test_the_masthead_date_is_in_the_newsletters_language(language: str, long_date: str) -> None:
    assert long_date in RENDERER.text(replace(views.EDITION, language=language))


def test_offsets_are_named() -> None:
    named = {iso[-6:]: offset_name(datetime.fromisoformat(iso)) for iso in (
        "2023-03-20T04:06+06:00", "2023-03-20T04:06+05:45", "2023-03-20T04:06-03:30", "2023-03-20T04:06+00:00")}
    assert named == {"+06:00": "UTC+6", "+05:45": "UTC+5:45", "-03:30": "UTC−3:30", "+00:00": "UTC"}


def test_an_empty_edition_names_its_reason_and_no_empty_heading() -> None:
    message = RENDERER.message(views.EMPTY)
    for part in (message.html, message.text):
        assert "No story was first seen since the last edition." in part
        assert "Also in" not in part and "All " not in part
    assert [tag for tag, _ in Outline(message.html).headings] == ["h1"]


def test_an_empty_section_is_omitted() -> None:
    view = replace(views.EDITION, sections=(replace(views.POLITICS, stories=()), views.MORE))
    assert "Politics" not in RENDERER.text(view)
    assert "More Central Asia News" in RENDERER.text(view)


def test_links_begin_with_the_sites_address_or_the_given_base() -> None:
    assert "https://news.example.org/kazakhstan/2023-03-20/all" in RENDERER.html(views.EDITION)
    local = replace(views.EDITION, site_url="")
    assert "http://localhost:8080/kazakhstan/2023-03-20/all" in RENDERER.html(local)
    other = Renderer(RENDERER.templates, base="http://localhost:9000/")
    assert "http://localhost:9000/sign-up/kazakhstan" in other.text(local)


def test_text_from_outside_is_escaped_and_forms_no_mark() -> None:
    nasty = replace(views.LEAD, headline='<b onclick="x">%%unsubscribe%%</b>', via="%%reason%%", body=())
    message = RENDERER.message(replace(views.EDITION, lead=nasty, sections=(), rest=(), subject="a\r\nBcc: b"))
    assert "<b " not in message.html
    assert message.html.count("%%unsubscribe%%") == 3 and message.html.count("%%reason%%") == 1
    assert message.text.count("%%unsubscribe%%") == 1 and message.text.count("%%reason%%") == 1
    assert message.subject == "a Bcc: b"


def test_json_keeps_the_order_of_the_page_and_every_value() -> None:
    text = RENDERER.json(views.EDITION)
    assert in_order(text, '"name"', '"tagline"', '"date"', '"lead"', '"sections"', '"rest"')
    assert from_json(json.dumps(json.loads(text))) == views.EDITION
    older = {name: value for name, value in json.loads(text).items() if name not in ("interfaces", "byte_budget")}
    assert from_json(json.dumps(older)) == views.EDITION  # what its version did not know has a default


@pytest.mark.parametrize("view", [views.EDITION, views.SEED_SHAPE, views.EMPTY])
def test_equal_views_give_equal_bytes(view: EditionView) -> None:
    again = Renderer(template_texts(None)).message(from_json(to_json(view)))
    assert again == RENDERER.message(view)


def test_a_mail_in_a_language_from_right_to_left_turns() -> None:
    html = RENDERER.html(replace(views.EDITION, language="fa"))
    assert '<html lang="fa" dir="rtl"' in html and 'align="right"' in html
    assert '<h1 lang="en" dir="ltr"' in html  # the story keeps its own direction


BRIEF = SectionView("brief", "brief", "In brief", (views.story(20, "Ferry 'Tobol' Returns", "Tobol Herald"),))
DESKED = replace(
    views.EDITION, notice="a short edition: few stories were told", trimmed=12, sections=(BRIEF, views.MORE),
    lead=replace(views.LEAD, developing=True, whats_new="New since Sunday: 3 more sources.", note="The count goes on.",
                 original_headline="Bloc Ahead"))


@pytest.mark.parametrize("render", [RENDERER.html, RENDERER.text])
def test_what_the_desk_adds_is_told_in_its_place(render) -> None:  # type: ignore[no-untyped-def]
    shown = " ".join(re.sub(r"<[^>]+>", " ", render(DESKED).split("<body>")[-1]).split())
    assert in_order(
        shown, "A short edition: few stories were told.", views.LEAD.headline, "New since Sunday: 3 more sources.",
        "A changed chamber", "Editor’s note: The count goes on.", "Ferry ‘Tobol’ Returns",
        "12 more stories are on the web.", "All 10 stories")
    assert "Bloc Ahead" not in shown


def test_the_page_of_the_edition_keeps_the_headline_of_the_source() -> None:
    page = RENDERER.page(DESKED)
    assert "Headline at the source: <span>Bloc Ahead</span>" in page
    assert "A short edition: few stories were told." in page


def test_a_story_in_brief_is_a_headline_with_its_credit_on_one_line() -> None:
    assert "Ferry ‘Tobol’ Returns\n  Tobol Herald\n  https://news.example/20" in RENDERER.text(DESKED)
    html = RENDERER.html(DESKED)
    assert re.search(r'/20"[^>]*>Ferry ‘Tobol’ Returns</a></span>(&nbsp;|\u00a0)· <span[^>]*>Tobol', html)
    assert html.count("Officials gave no date") == RENDERER.html(views.SEED_SHAPE).count("Officials gave no date")


def test_a_theme_colours_both_modes_and_sets_the_font() -> None:
    theme = ThemeView("#1c4f8f", "#9cc4f5", "sans", "https://news.example.org/logo.png")
    html = RENDERER.html(replace(views.EDITION, theme=theme))
    assert "#8f2d1f" not in html and "#f0a394" not in html and "Georgia" not in html
    assert html.count("#1c4f8f") > 10 and html.count("#9cc4f5") == 2
    assert re.search(r'<img[^>]* src="https://news.example.org/logo.png" alt="Kazakhstan News"', html)
    assert re.search(r'<p class="name"[^>]*>Kazakhstan News</p>', html)


def test_a_newsletters_own_template_wins_for_it_alone() -> None:
    own = {**RENDERER.templates, "newsletters/kazakhstan/email/edition.txt": "ours: {{ view.name }}",
           "newsletters/other/email/edition.txt": "theirs"}
    assert Renderer(own).text(views.EDITION) == "ours: Kazakhstan News"
    assert Renderer(own).text(replace(views.EDITION, newsletter="third")) == RENDERER.text(
        replace(views.EDITION, newsletter="third"))


def test_what_is_frozen_with_an_edition_renders_the_same() -> None:
    own = {**RENDERER.templates, "newsletters/kazakhstan/email/edition.txt": "ours: {{ view.name }}",
           "newsletters/other/email/edition.txt": "theirs"}
    frozen = own_templates(own, "kazakhstan")
    assert not [name for name in frozen if name.startswith("newsletters/")]
    russian = replace(views.EDITION, language="ru")
    assert Renderer(frozen).message(russian) == Renderer(own).message(russian)
    assert own_templates(frozen, "kazakhstan") == frozen
