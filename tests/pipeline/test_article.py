"""Pages in the shapes that news sites have: tests/data/pages holds each page and, beside it, the text that it tells."""

import time
from pathlib import Path

import pytest

from digest.model import REPEATED, Block
from digest.pipeline.article import (
    CONSENT_PAGE,
    MOST_CHARACTERS,
    NOT_HTML,
    OTHER_PAGE,
    PAYWALL,
    SCRIPT_PAGE,
    TEXT,
    TOO_LARGE,
    TOO_SHORT,
    Article,
    count_words,
    decoded,
    marked,
    read_article,
)

PAGES = Path(__file__).parents[1] / "data" / "pages"
TITLES = {
    "wordpress": ("Emel bridge opens to lorries on Monday", "en"),
    "drupal": ("Суд отменил вырубку тополей на проспекте Мира", "ru"),
    "bitrix": ("Трассу Астана – Петропавловск открыли после метели", "ru"),
    "nextjs": ("Private companies may put solar panels on school roofs", "en"),
    "jsonld": ("Bishkek plant to stand still for three days in May", "en"),
    "portal_kk": ("Түркістанда 96 шақырым арна бетондалды", "kk"),
    "portal_uz": ("Samarqandda 37 ta uyni suv bosdi", "uz"),
    "liveblog": ("Earthquake in the south of Kyrgyzstan: live", "en"),
    "gallery": ("In pictures: eagle hunters meet at Nura", "en"),
    "amp": ("Second runway of Dushanbe to open in March", "en"),
    "tables": ("Минарет Калян закрыт на ремонт", "ru"),
    "about_cookies": ("Four shops fined over cookies", "en"),
}
OTHERS = {
    "paywall": PAYWALL, "paywall_meta": PAYWALL, "consent": CONSENT_PAGE, "consent_ru": CONSENT_PAGE,
    "script": SCRIPT_PAGE, "challenge": SCRIPT_PAGE, "short": TOO_SHORT,
}


def read(name: str, title: str, language: str = "und", content_type: str | None = "text/html") -> Article:
    body = (PAGES / f"{name}.html").read_bytes()
    return read_article(body, content_type, f"https://{name}.example/1", title, language)


@pytest.mark.parametrize("name", TITLES)
def test_a_page_gives_its_text_and_nothing_else(name: str) -> None:
    article = read(name, *TITLES[name])
    lines = [("## " if block.kind == "h2" else "") + block.text for block in article.blocks]
    assert (article.outcome, lines) == (TEXT, (PAGES / f"{name}.txt").read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize(("name", "outcome"), OTHERS.items())
def test_a_page_without_the_text_says_what_it_is(name: str, outcome: str) -> None:
    assert read(name, "Видео: первый снег в горах" if name == "short" else "Who owns the pipelines") == Article(outcome)


def test_every_saved_page_is_read() -> None:
    assert {page.stem for page in PAGES.glob("*.html")} == TITLES.keys() | OTHERS.keys()


def test_a_front_page_that_an_old_address_leads_to_is_another_page() -> None:
    assert read("wordpress", "Opera house of Almaty gets a new director", "en").outcome == OTHER_PAGE


@pytest.mark.parametrize(("body", "content_type"), [
    (b"%PDF-1.7 ...", "application/pdf"),
    (b'{"html": "<p>no</p>"}', "application/json"),
    (b"%PDF-1.7 ...", None),
    (b"", "text/html"),
    (b"<html></html>", "text/html"),
])
def test_what_is_no_page_has_no_text(body: bytes, content_type: str | None) -> None:
    assert read_article(body, content_type, "https://a.example/", "Title", "en").outcome in {NOT_HTML, TOO_SHORT}


def test_a_redirect_to_a_host_for_consent_is_a_notice_whatever_it_says() -> None:
    body = b"<html><body><p>" + b"word " * 60 + b"</p></body></html>"
    article = read_article(body, "text/html", "https://consent.portal.example/c", "Dam holds", "en")
    assert article.outcome == CONSENT_PAGE


@pytest.mark.parametrize(("body", "content_type", "text"), [
    ("Река".encode(), "text/html; charset=windows-1251", "Река"),  # UTF-8, whatever the server says
    ("Река".encode("cp1251"), "text/html; charset=windows-1251", "Река"),
    ('<meta charset="windows-1251">Река'.encode("cp1251"), "text/html", '<meta charset="windows-1251">Река'),
    ("Reká".encode("cp1252"), "text/html; charset=no-such", "Reká"),
    ('<meta charset="utf-8">Rek\xe1'.encode("latin-1"), None, '<meta charset="utf-8">Rek\ufffd'),
])
def test_a_page_is_decoded_as_it_is_or_as_it_says(body: bytes, content_type: str | None, text: str) -> None:
    assert decoded(body, content_type) == text


def test_a_text_is_cut_between_paragraphs() -> None:
    paragraph = "The dam holds, " * 40
    body = f"<html><body><article><h1>Dam holds</h1>{''.join(f'<p>{i} {paragraph}</p>' for i in range(90))}</article>"
    blocks = read_article(body.encode(), "text/html", "https://a.example/", "Dam holds", "en").blocks
    assert MOST_CHARACTERS - 700 < sum(len(block.text) for block in blocks) <= MOST_CHARACTERS
    assert all(block.text.endswith("holds,") for block in blocks)


def test_what_two_earlier_pages_of_the_feed_say_too_is_no_text() -> None:
    appeal, news = Block("p", "Write to our bot if you saw it."), Block("p", "The dam holds.")
    pages = [[appeal.text, "Other news."], [appeal.text], [news.text]]
    assert marked([news, appeal], pages) == (news, Block(REPEATED, appeal.text))
    assert marked([news, appeal], pages[:1]) == (news, appeal)


@pytest.mark.parametrize("piece", ["<p>word word", "<li>word", "x<br>", "<p><a href='/x'>word word</a></p>"])
def test_a_page_of_nothing_but_pieces_is_too_large_at_once(piece: str) -> None:
    started = time.process_time()
    article = read_article(f"<html><body>{piece * 60_000}".encode(), "text/html", "https://a.example/", "Word", "en")
    assert article.outcome == TOO_LARGE and time.process_time() - started < 3


@pytest.mark.parametrize("form", [
    "<h1>Dam holds</h1><p>{}</p>",
    '<h1>Dam holds</h1><script type="application/ld+json">{{"articleBody": "{}"}}</script>',
])
def test_halves_of_characters_and_controls_are_left_out(form: str) -> None:
    text = "The dam\\u0000 \\ud83dholds. " if "json" in form else "The dam\x00 &#xD83D;holds.\x01 "
    body = f"<html><body>{form.format(text * 20)}</body></html>"
    article = read_article(body.encode(), "text/html", "https://a.example/", "Dam holds", "en")
    assert article.outcome == TEXT
    assert all(block.text.isprintable() for block in article.blocks)


def test_words_of_subheads_do_not_count() -> None:
    assert count_words([Block("h2", "One two three"), Block("p", "Four five.")]) == 2
