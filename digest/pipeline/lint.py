"""Checks of a rendered edition before it goes: what would be broken, unreadable or untrue in a reader's mailbox.

    view, HTML, text ─▶ rules ─▶ findings: errors hold the edition, warnings are shown

Each rule is one generator. Takes the message before it is addressed, with its personal marks unfilled.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from digest.documents import Newsletter
from digest.model import REASON_MARK, UNSUBSCRIBE_MARK
from digest.pipeline.contrast import find_faint
from digest.pipeline.elements import Element, parse_elements
from digest.pipeline.view import EditionView, StoryView
from digest.text.taglines import cadence_doubt, find_typos
from digest.theme import LEAST_CONTRAST

Level = Literal["error", "warning"]
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
ACTIVE = ("script", "iframe", "object", "embed", "form", "input", "button", "link", "video", "audio", "svg")
_MARK = re.compile(r"%%\w*%%")
_CONDITIONAL = re.compile(r"<!--\[if [^\]]*\]>(.*?)<!\[endif\]-->", re.DOTALL)
_REMOTE_STYLE = re.compile(r"url\(|@import", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `code` is stable ("image-alt"); `where` says in which part and at which words."""

    level: Level
    code: str
    message: str
    where: str


@dataclass(frozen=True, slots=True)
class Limits:
    """From which measure on a finding is made. Sizes are bytes of UTF-8, lengths are characters."""

    html_warning_bytes: int = 80_000
    html_error_bytes: int = 102_000  # beyond it Gmail cuts the mail off and hides the unsubscribe link
    subject_warning: int = 78
    subject_error: int = 150
    contrast: float = LEAST_CONTRAST


@dataclass(frozen=True, slots=True)
class Checked:
    """What the rules look at. `base` begins our own links; `sends` says that mail leaves for real readers."""

    view: EditionView
    html: str
    text: str
    page: Element
    newsletter: Newsletter
    limits: Limits
    base: str
    sends: bool


Rule = Callable[[Checked], Iterator[Finding]]


def lint(
    view: EditionView, html: str, text: str, newsletter: Newsletter, limits: Limits | None = None, *,
    base: str = "", sends: bool = False,
) -> tuple[Finding, ...]:
    """What is wrong with an edition's message, errors first; () where nothing is.

    `base` begins links to our own pages where the view has no site_url.
    """
    checked = Checked(view, html, text, parse_elements(html), newsletter, limits or Limits(), base, sends)
    found = [finding for rule in RULES for finding in rule(checked)]
    return tuple(sorted(found, key=lambda finding: finding.level))


def errors_of(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Those that hold the edition."""
    return tuple(finding for finding in findings if finding.level == "error")


def _error(code: str, message: str, where: str = "html") -> Finding:
    return Finding("error", code, message, where)


def _warning(code: str, message: str, where: str = "html") -> Finding:
    return Finding("warning", code, message, where)


def _size(checked: Checked) -> Iterator[Finding]:
    size, limits = len(checked.html.encode()), checked.limits
    if size > limits.html_error_bytes:
        yield _error("html-size", f"{size:,} bytes: Gmail cuts mails off at {limits.html_error_bytes:,}")
    elif size > limits.html_warning_bytes:
        yield _warning("html-size", f"{size:,} bytes: over {limits.html_warning_bytes:,}")


def _subject(checked: Checked) -> Iterator[Finding]:
    length, limits = len(checked.view.subject), checked.limits
    if not checked.view.subject.strip():
        yield _error("subject", "there is none", "subject")
    elif length > limits.subject_error:
        yield _error("subject", f"{length} characters: at most {limits.subject_error}", "subject")
    elif length > limits.subject_warning:
        yield _warning("subject", f"{length} characters: mail readers cut it off after {limits.subject_warning}",
                       "subject")


def _images(checked: Checked) -> Iterator[Finding]:
    known = {story.image_url for story in checked.view.all_stories} | {checked.view.theme.logo_url}
    for image in checked.page.all("img"):
        source = image.attributes.get("src", "")
        if "alt" not in image.attributes:
            yield _error("image-alt", f"image without alt: {source}")
        if {image.attributes.get("width"), image.attributes.get("height")} & {"0", "1"}:
            yield _error("tracking", f"an image of one pixel tracks readers: {source}")
        elif source not in known:
            yield _error("image-unknown", f"no story has this image: {source}")


def _language(checked: Checked) -> Iterator[Finding]:
    for html in checked.page.all("html")[:1] or [Element("html", {})]:
        for name in ("lang", "dir"):
            if not html.attributes.get(name):
                yield _error("language", f"html has no {name}")
    for name in ("lang", "dir"):
        if any(not any(e.attributes.get(name) for e in table.up() if e.tag not in {"html", "body"})
               for table in checked.page.all("table")):
            yield _error("language", f"the wrapper below body has no {name}: mail readers drop html and body")


def _tables(checked: Checked) -> Iterator[Finding]:
    conditional = [table for part in _CONDITIONAL.findall(checked.html) for table in parse_elements(part).all("table")]
    for table in [*checked.page.all("table"), *conditional]:
        if table.attributes.get("role") != "presentation":
            yield _error("layout-table", "without role=presentation it is read out as data", f"html: {table.place()}")


def _headings(checked: Checked) -> Iterator[Finding]:
    headings = checked.page.all(*HEADINGS)
    if (count := sum(heading.tag == "h1" for heading in headings)) != 1:
        yield _error("headings", f"{count} h1: there must be one")
    before = 0
    for heading in headings:
        level = int(heading.tag[1])
        if not heading.text():
            yield _error("headings", f"an empty {heading.tag}", f"html: {heading.place()}")
        if level > before + 1 and before:
            yield _error("headings", f"{heading.tag} after h{before}: a level is left out", f"html: {heading.place()}")
        before = level


def _contrast(checked: Checked) -> Iterator[Finding]:
    for faint in find_faint(checked.page, checked.limits.contrast):
        yield _error("contrast", f"{faint.colour} on {faint.ground} is {faint.ratio}:1 ({faint.mode}); at least "
                                 f"{checked.limits.contrast}:1 can be read", f"html: {faint.place}")


def _sections(checked: Checked) -> Iterator[Finding]:
    for section in checked.view.sections:
        if not section.stories:
            yield _error("empty-section", f"“{section.title}” has no story", "view")
    seen: set[str] = set()
    for story in checked.view.all_stories:
        if story.id in seen:
            yield _error("story-twice", "a story stands twice", f"view: {story.headline}")
        seen.add(story.id)


def _tagline(checked: Checked) -> Iterator[Finding]:
    view = checked.view
    days = 1 if view.period == "weekly" else len(checked.newsletter.days)
    for where, line in (("name", view.name), ("tagline", view.tagline)):
        for typo in find_typos(line):
            yield _warning("typo", typo, where)
        if doubt := cadence_doubt(line, days):
            yield _warning("cadence", doubt, where)


def _links(checked: Checked) -> Iterator[Finding]:
    hosts = _known_hosts(checked)
    for link in checked.page.all("a", "area"):
        address = link.attributes.get("href", "")
        scheme, host = _scheme_and_host(address)
        where = f"html: {link.place()}"
        if address.startswith("%%") or scheme == "mailto":
            continue
        if scheme not in {"http", "https"}:
            said = f"a {scheme}: address" if scheme else "not a whole address: it leads nowhere in a mail"
            yield _error("link", f"{said}: {address or 'empty'}", where)
        elif host not in hosts:
            yield _error("unknown-host", f"{host} is of no story and not this site", where)
        if not link.text() and not any(image.attributes.get("alt") for image in link.all("img")):
            yield _error("link", f"a link without words: {address}", where)


def _known_hosts(checked: Checked) -> set[str]:
    view = checked.view
    addresses = [view.site_url, checked.base, view.theme.logo_url]
    for story in view.all_stories:
        addresses += [story.url, *(credit.url for credit in story.also_in)]
    return {_scheme_and_host(address)[1] for address in addresses} - {""}


def _scheme_and_host(address: str) -> tuple[str, str]:
    """Both in lower case, "" where there is none."""
    try:
        parts = urlsplit(address)
        return parts.scheme, parts.hostname or ""
    except ValueError:  # such as http://[::1
        return "", ""


def _active(checked: Checked) -> Iterator[Finding]:
    """Nothing in a mail may run or load: mail readers drop it, and it would track."""
    for element in checked.page.walk():
        handlers = [name for name in element.attributes if name.startswith("on")]
        style = element.attributes.get("style", "") + (element.own_text if element.tag == "style" else "")
        if element.tag in ACTIVE or handlers:
            yield _error("active", f"{element.tag} {' '.join(handlers)}".strip() + " does not belong into a mail")
        if _REMOTE_STYLE.search(style) or "background" in element.attributes:
            yield _error("tracking", "a style loads from elsewhere", f"html: {element.place()}")


def _parity(checked: Checked) -> Iterator[Finding]:
    """Every story that the mail shows stands with headline and address in both parts."""
    links = {link.attributes.get("href", "") for link in checked.page.all("a")}
    words = {word.strip("<>") for word in checked.text.split()}
    parts = (("html", _letters(checked.page.text()), links), ("text", _letters(checked.text), words))
    for story in _mailed(checked.view):
        for part, letters, addresses in parts:
            if _letters(story.headline) not in letters:
                yield _error("parity", "a story is missing", f"{part}: {story.headline}")
            elif story.url and story.url not in addresses:
                yield _error("parity", "the story's address is missing", f"{part}: {story.headline}")


def _mailed(view: EditionView) -> tuple[StoryView, ...]:
    return view.all_stories[: len(view.all_stories) - len(view.rest)]


def _letters(text: str) -> str:
    """Letters and digits alone: wrapping, spaces and typographic marks make no difference."""
    return "".join(character for character in text.casefold() if character.isalnum())


def _leaving(checked: Checked) -> Iterator[Finding]:
    links = sum(link.attributes.get("href") == UNSUBSCRIBE_MARK for link in checked.page.all("a"))
    if links < 2:
        yield _error("unsubscribe", f"{links} unsubscribe links: there must be two, at the top and at the end")
    if UNSUBSCRIBE_MARK not in checked.text:
        yield _error("unsubscribe", "no unsubscribe address", "text")
    for where, part in (("html", checked.html), ("text", checked.text)):
        if REASON_MARK not in part:
            yield _warning("reason", "it does not say why the reader gets it", where)
    if checked.sends and not checked.view.postal_address:
        yield _warning("postal-address", "site.postal_address is not set: many laws ask for it in every mail", "view")


def _marks(checked: Checked) -> Iterator[Finding]:
    for where, part in (("html", checked.html), ("text", checked.text)):
        for mark in sorted(set(_MARK.findall(part)) - {UNSUBSCRIBE_MARK, REASON_MARK}):
            yield _error("mark", f"{mark} would be mailed as it is", where)


RULES: tuple[Rule, ...] = (
    _size, _subject, _images, _language, _tables, _headings, _contrast, _sections, _tagline, _links, _active, _parity,
    _leaving, _marks)
