"""Contrast of text against its ground in a rendered mail, in light and in dark.

    styles (inlined, and rules of the style element) ─▶ colour and ground of each text ─▶ WCAG 2 ratio

Knows the CSS that mails use: classes, element names, attributes, descendants, !important, media queries. Does not
know widths, pseudo-classes and blending: what it cannot read it leaves out of account.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from digest.pipeline.elements import Element
from digest.theme import LEAST_CONTRAST, Colour, contrast

LIGHT, DARK, OUTLOOK = "light", "dark", "dark in Outlook"  # how a mail reader shows the mail
_DEFAULTS: dict[str, tuple[Colour, Colour, Colour]] = {  # text, ground, links
    LIGHT: ((0, 0, 0), (255, 255, 255), (0, 0, 238)),
    DARK: ((255, 255, 255), (18, 18, 18), (158, 158, 255)),
    OUTLOOK: ((255, 255, 255), (18, 18, 18), (158, 158, 255)),
}
_NAMES = {"black": (0, 0, 0), "white": (255, 255, 255), "gray": (128, 128, 128), "grey": (128, 128, 128),
          "red": (255, 0, 0), "silver": (192, 192, 192), "navy": (0, 0, 128), "blue": (0, 0, 255)}
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{3}\b|rgb\(\s*\d+\s*,\s*\d+\s*,\s*\d+\s*\)|\b[a-z]+\b")
_COMPOUND = re.compile(r"(?P<tag>[a-zA-Z][\w-]*)|\.(?P<cls>[\w-]+)|\[(?P<attr>[\w-]+)\]|(?P<root>:root)|(?P<any>\*)")
_OUTLOOK_MARKS = frozenset({"data-ogsc", "data-ogsb", "data-ogac", "data-ogab"})


@dataclass(frozen=True, slots=True)
class Faint:
    """A text too close to its ground. `ratio` is 1 to 21; colours are "#rrggbb"."""

    mode: str
    ratio: float
    colour: str
    ground: str
    place: str


@dataclass(frozen=True, slots=True)
class _Compound:
    """One step of a selector: "h3.story" or "[data-ogsc]"."""

    tag: str | None
    classes: frozenset[str]
    attributes: frozenset[str]
    is_root: bool

    def fits(self, element: Element) -> bool:
        return (self.tag in (None, element.tag) and self.classes <= element.classes
                and self.attributes <= element.attributes.keys() and (not self.is_root or element.tag == "html"))


@dataclass(frozen=True, slots=True)
class _Rule:
    """One selector with its declarations, each with whether it is important. `mode` is None where always in force."""

    mode: str | None
    steps: tuple[_Compound, ...]
    declarations: dict[str, tuple[str, bool]]
    weight: tuple[int, int]

    def fits(self, element: Element) -> bool:
        *outer, last = self.steps
        if not last.fits(element):
            return False
        above = element.up()
        next(above)
        return all(any(step.fits(ancestor) for ancestor in above) for step in reversed(outer))


def read_colour(text: str) -> Colour | None:
    """The first colour in a CSS value; None where there is none that can be read."""
    for match in _COLOUR.finditer(text):
        word = match[0].lower()
        if word.startswith("#"):
            digits = word[1:] if len(word) == 7 else "".join(c * 2 for c in word[1:])
            return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
        if word.startswith("rgb("):
            red, green, blue = (min(255, int(n)) for n in re.findall(r"\d+", word))
            return red, green, blue
        if word in _NAMES:
            return _NAMES[word]
    return None


def find_faint(page: Element, minimum: float = LEAST_CONTRAST) -> list[Faint]:
    """Texts whose contrast is below `minimum`, one of each mode and pair of colours, in the order of the page.

    The modes are light, and those dark ones that the mail has rules for.
    """
    rules = list(_rules("\n".join(style.own_text for style in page.all("style"))))
    found: dict[tuple[str, str, str], Faint] = {}
    for mode in (LIGHT, *sorted({rule.mode for rule in rules if rule.mode})):
        for element, colour, ground in _shown_texts(page, rules, mode):
            if (value := contrast(colour, ground)) < minimum:
                key = (mode, _hex(colour), _hex(ground))
                found.setdefault(key, Faint(mode, round(value, 2), key[1], key[2], element.place()))
    return list(found.values())


def _shown_texts(page: Element, rules: list[_Rule], mode: str) -> Iterator[tuple[Element, Colour, Colour]]:
    """Each element with text of its own that is shown, with its colour and ground."""
    in_force = [rule for rule in rules if rule.mode in (None, mode)]
    text, ground, link = _DEFAULTS[mode]
    pending = [(page, text, ground)]
    while pending:
        element, colour, ground = pending.pop()
        style = _style(element, in_force)
        if style.get("display") == "none" or element.tag == "head":
            continue
        own = read_colour(style.get("color", ""))
        colour = own or (link if element.tag == "a" else colour)
        ground = read_colour(style.get("background-color") or style.get("background", "")) or ground
        if element.own_text.strip():
            yield element, colour, ground
        pending += [(child, colour, ground) for child in reversed(element.children)]


def _style(element: Element, rules: list[_Rule]) -> dict[str, str]:
    """What the cascade makes of an element's own declarations; nothing inherited."""
    ranked: dict[str, tuple[tuple[bool, int, tuple[int, int], int], str]] = {}
    inline = _declarations(element.attributes.get("style", ""))
    if "bgcolor" in element.attributes:
        ranked["background-color"] = ((False, -1, (0, 0), 0), element.attributes["bgcolor"])
    sources = [(0, rule.weight, rule.declarations) for rule in rules if rule.fits(element)] + [(1, (0, 0), inline)]
    for order, (level, weight, declarations) in enumerate(sources):
        for name, (value, important) in declarations.items():
            rank = (important, level, weight, order)
            if name not in ranked or ranked[name][0] <= rank:
                ranked[name] = (rank, value)
    return {name: value for name, (_, value) in ranked.items()}


def _rules(css: str) -> Iterator[_Rule]:
    """The rules of a style sheet that a mode follows; those for widths, hovering and print are left out."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    for prelude, body in _blocks(css):
        if not prelude.startswith("@"):
            yield from _rules_of(prelude, body, None)
        elif "prefers-color-scheme" in prelude and "dark" in prelude:
            for inner, declarations in _blocks(body):
                yield from _rules_of(inner, declarations, DARK)


def _rules_of(prelude: str, body: str, mode: str | None) -> Iterator[_Rule]:
    declarations = _declarations(body)
    for selector in prelude.split(","):
        marks, steps = _without_marks(_steps(selector))
        if steps:
            names = sum(len(step.classes) + len(step.attributes) for step in steps) + marks
            weight = (names, sum(step.tag is not None for step in steps))
            yield _Rule(OUTLOOK if marks else mode, steps, declarations, weight)


def _without_marks(steps: tuple[_Compound, ...]) -> tuple[int, tuple[_Compound, ...]]:
    """How many of the marks that Outlook sets in dark mode the first step names, and the steps without them."""
    if not steps or not (marks := steps[0].attributes & _OUTLOOK_MARKS):
        return 0, steps
    first = replace(steps[0], attributes=steps[0].attributes - marks)
    bare = not (first.tag or first.classes or first.attributes)
    return len(marks), steps[1:] if bare else (first, *steps[1:])


def _steps(selector: str) -> tuple[_Compound, ...]:
    """The steps of a selector; () where it holds what we do not know."""
    steps = []
    for part in selector.split():
        if "".join(match[0] for match in _COMPOUND.finditer(part)) != part:
            return ()
        found = list(_COMPOUND.finditer(part))
        steps.append(_Compound(
            next((m["tag"].lower() for m in found if m["tag"]), None), frozenset(m["cls"] for m in found if m["cls"]),
            frozenset(m["attr"].lower() for m in found if m["attr"]), any(m["root"] for m in found)))
    return tuple(steps)


def _blocks(css: str) -> Iterator[tuple[str, str]]:
    """Each prelude with what stands between its braces."""
    start = depth = opened = 0
    for position, character in enumerate(css):
        if character == "{":
            if depth == 0:
                opened = position
            depth += 1
        elif character == "}" and depth:
            depth -= 1
            if depth == 0:
                yield css[start:opened].strip(), css[opened + 1 : position]
                start = position + 1


def _declarations(text: str) -> dict[str, tuple[str, bool]]:
    found = {}
    for declaration in text.split(";"):
        name, colon, value = declaration.partition(":")
        if colon:
            value = value.strip()
            plain = value.removesuffix("!important").rstrip()
            found[name.strip().lower()] = (plain, plain != value)
    return found


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
