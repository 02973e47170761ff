"""The few tokens of look that a newsletter may set, and the contrast that keeps them legible."""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict

Colour = tuple[int, int, int]
PAPER, DARK_PAPER = "#ffffff", "#1b1a19"  # ground of a mail's text in light and dark mode (templates/email)
LEAST_CONTRAST = 4.5  # of text, WCAG 2.1 AA


def contrast(one: Colour, other: Colour) -> float:
    """WCAG 2 contrast of two colours, from 1 (equal) to 21 (black on white)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def rgb(text: str) -> Colour:
    """The colour that "#rrggbb" writes."""
    red, green, blue = (int(text[start:start + 2], 16) for start in (1, 3, 5))
    return red, green, blue


def _luminance(colour: Colour) -> float:
    red, green, blue = (c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _legible(value: str, ground: str, where: str) -> str:
    if value and not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        raise ValueError('must be a colour such as "#8f2d1f"')
    if value and (ratio := contrast(rgb(value), rgb(ground))) < LEAST_CONTRAST:
        raise ValueError(f"has a contrast of {ratio:.1f} on {where} ({ground}); text needs {LEAST_CONTRAST}: "
                         f"take a {'darker' if ground == PAPER else 'lighter'} colour")
    return value.lower()


def _on_paper(value: str) -> str:
    return _legible(value, PAPER, "the white ground")


def _on_dark_paper(value: str) -> str:
    return _legible(value, DARK_PAPER, "the dark ground")


def _picture(value: str) -> str:
    parts = urlsplit(value)
    if value and (parts.scheme != "https" or not parts.netloc or not value.isprintable() or " " in value):
        raise ValueError('must be an absolute https address, such as "https://news.example.org/logo.png"')
    return value


class Theme(BaseModel):
    """`[theme]` of a newsletter; "" keeps the look of the templates."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    accent: Annotated[str, AfterValidator(_on_paper)] = ""  # of credits, section titles and links
    accent_dark: Annotated[str, AfterValidator(_on_dark_paper)] = ""  # the same in dark mode
    font: Literal["serif", "sans"] = "serif"  # of headlines and text
    logo_url: Annotated[str, AfterValidator(_picture)] = ""  # above the masthead, which stays text
