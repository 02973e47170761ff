"""The WCAG formula, and what of CSS we follow."""

import pytest

from digest.pipeline.contrast import find_faint, read_colour
from digest.pipeline.elements import parse_elements
from digest.theme import contrast


@pytest.mark.parametrize(("one", "other", "expected"), [
    ((0, 0, 0), (255, 255, 255), 21.0),
    ((255, 255, 255), (255, 255, 255), 1.0),
    ((0x76, 0x76, 0x76), (255, 255, 255), 4.54),  # the lightest grey that passes on white
    ((0x77, 0x77, 0x77), (255, 255, 255), 4.48),
])
def test_the_ratio_is_that_of_wcag(one: tuple[int, int, int], other: tuple[int, int, int], expected: float) -> None:
    assert round(contrast(one, other), 2) == round(contrast(other, one), 2) == expected


@pytest.mark.parametrize(("text", "colour"), [
    ("#FFF", (255, 255, 255)), ("#8f2d1f", (0x8F, 0x2D, 0x1F)), ("rgb(1, 2, 3)", (1, 2, 3)), ("white", (255,) * 3),
    ("no-repeat #123456 0 0", (0x12, 0x34, 0x56)), ("transparent", None), ("var(--ink)", None), ("", None)])
def test_colours_are_read(text: str, colour: tuple[int, int, int] | None) -> None:
    assert read_colour(text) == colour


def faint(body: str, css: str = "") -> list[tuple[str, str, str]]:
    page = parse_elements(f"<html><head><style>{css}</style></head><body>{body}</body></html>")
    return [(found.mode, found.colour, found.ground) for found in find_faint(page)]


DARK = "@media (prefers-color-scheme: dark) {{ {} }}"


@pytest.mark.parametrize(("body", "css", "expected"), [
    ("<p>Black on white</p>", "", []),
    ('<p style="color: #999">Grey</p>', "", [("light", "#999999", "#ffffff")]),
    ('<div style="color: #999"><p>Inherited</p></div>', "", [("light", "#999999", "#ffffff")]),
    ('<div style="background: #333"><p>On dark</p></div>', "", [("light", "#000000", "#333333")]),
    ('<table bgcolor="#333333"><tr><td>On dark</td></tr></table>', "", [("light", "#000000", "#333333")]),
    ('<p style="display: none; color: #fff">Hidden</p>', "", []),
    ('<p class="a">By class</p>', "p.a { color: #999 }", [("light", "#999999", "#ffffff")]),
    ('<p style="color: #000">Inline wins</p>', "p { color: #999 }", []),
    ('<p style="color: #000">Important wins</p>', "p { color: #999 !important }", [("light", "#999999", "#ffffff")]),
    ('<div class="a"><b><i>Below</i></b></div>', ".a i { color: #999 }", [("light", "#999999", "#ffffff")]),
    ("<p>Not here</p>", ".a p { color: #999 }", []),
    ("<p>Hovering is left out</p>", "p:hover { color: #999 }", []),
    ('<p class="a" id="x">More classes win</p>', ".a { color: #000 } p { color: #999 }", []),
    ("<p>In dark alone</p>", DARK.format("p { color: #333 }"), [("dark", "#333333", "#121212")]),
    ('<p style="color: #222">Forgotten</p>', DARK.format("b { color: #fff }"), [("dark", "#222222", "#121212")]),
    ('<p class="t">Outlook</p>', "[data-ogsc] .t { color: #333 !important }",
     [("dark in Outlook", "#333333", "#121212")]),
    ("<p>Narrow is left out</p>", "@media (max-width: 480px) { p { color: #fff } }", []),
    ("<p>After a comment</p>", "/* p { } */ p { color: #999 }", [("light", "#999999", "#ffffff")]),
    ('<p><a href="/">A bare link is blue</a></p>', "", []),
])
def test_faint_text_is_found(body: str, css: str, expected: list[tuple[str, str, str]]) -> None:
    assert faint(body, css) == expected


def test_a_pair_of_colours_is_told_once() -> None:
    assert len(faint('<p style="color: #999">One</p><p style="color: #999">Two</p>')) == 1
