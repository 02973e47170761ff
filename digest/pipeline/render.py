"""Renders a view model: HTML mail, text, JSON and web pages, all from the same values.

Pure: template texts come in as a mapping, nothing is read or fetched, and equal views give equal bytes.
"""

import dataclasses
import json
import re
import textwrap
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from typing import Any

import css_inline
from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from digest.model import Message
from digest.pipeline.view import EditionView, StoryView

TEXT_COLUMNS = 78
RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})
DEFAULT_BASE = "http://localhost:8080"
_MARK = re.compile(r"%%(\w+)%%")
_STORY_DAY = "EEE d MMM"


class Wording:
    """What templates ask for in one interface language: dates, times, direction, lang attributes."""

    def __init__(self, language: str, translate: Callable[[str], str] = str):
        self.language = language
        self._translate = translate
        self._locale = _locale(language)

    def long_date(self, day: str) -> str:
        """ "Monday, March 20, 2023" in the language's own long form, of an ISO day."""
        text = format_date(date.fromisoformat(day), format="full", locale=self._locale)
        return text[:1].upper() + text[1:]

    def story_time(self, story: StoryView) -> str:
        """ "04:06 UTC+6, Mon 20 Mar"; only the day where no time is known, "seen …" where it is undated."""
        return self.clock_time(story.time, story.time_kind)

    def clock_time(self, iso: str, kind: str = "published") -> str:
        """An ISO 8601 time with its offset, in words; `kind` as in StoryView.time_kind."""
        when = datetime.fromisoformat(iso)
        day = format_date(when.date(), format=_STORY_DAY, locale=self._locale)
        if kind == "day":
            return day
        text = f"{when:%H:%M} {offset_name(when)}, {day}"
        return self._translate("seen {time}").format(time=text) if kind == "seen" else text

    def direction(self, language: str) -> str:
        return "rtl" if language in RIGHT_TO_LEFT else "ltr"

    def attributes(self, story: StoryView) -> Markup:
        """`language_attributes` of a story's own language."""
        return self.language_attributes(story.language)

    def language_attributes(self, language: str) -> Markup:
        """A lang attribute (and dir where it turns) for text in another language than the interface; else ""."""
        if language in {self.language, "und", ""}:
            return Markup("")
        turn = self.direction(language)
        extra = Markup("") if turn == self.direction(self.language) else Markup(' dir="{}"').format(turn)
        return Markup(' lang="{}"').format(language) + extra


class Renderer:
    """Renders views with one set of template texts, named "email/edition.html".

    `base` is the address that links to our own pages begin with where the view has no site_url.
    Does not decide what is shown: that is the view.
    """

    def __init__(self, templates: Mapping[str, str], *, base: str = DEFAULT_BASE):
        self.templates = dict(templates)
        self._base = base.rstrip("/")
        self._environment = _environment(self.templates)

    def message(self, view: EditionView, hidden_sections: Collection[str] = ()) -> Message:
        """The mail of an edition, with the marks `%%unsubscribe%%` and `%%reason%%` still in it."""
        shown = without_sections(view, hidden_sections)
        return Message(subject=one_line(view.subject), html=self.html(shown), text=self.text(shown))

    def html(self, view: EditionView) -> str:
        """The HTML part, styles inlined."""
        return self.mail_html("email/edition.html", language=view.language, view=view, base=self._base_of(view))

    def text(self, view: EditionView) -> str:
        """The text part: the same stories, at most 78 columns except for addresses."""
        return self.render("email/edition.txt", language=view.language, view=view, base=self._base_of(view))

    def json(self, view: EditionView) -> str:
        """The view for people and programs: indented, in the order of the page."""
        return json.dumps(dataclasses.asdict(view), ensure_ascii=False, indent=2) + "\n"

    def page(self, view: EditionView, kind: str = "edition", **values: Any) -> str:
        """A web page of the edition. `kind` is "edition" or "all" (every story); links to our pages are relative."""
        return self.render(f"web/{kind}.html", language=view.language, view=view, **{"editions": (), **values})

    def render(self, name: str, *, language: str = "en", **values: Any) -> str:
        """Any template with `language` and `locale` (Wording). HTML is escaped, text is not; no styles inlined."""
        template = self._environment.get_template(name)
        return template.render(language=language, locale=Wording(language), **values)

    def mail_html(self, name: str, *, language: str = "en", **values: Any) -> str:
        """A template of an HTML mail that extends email/mail.html, with email/edition.css inlined."""
        inliner = css_inline.CSSInliner(
            inline_style_tags=False, keep_style_tags=True, load_remote_stylesheets=False,
            extra_css=self.templates["email/edition.css"])
        return inliner.inline(self.render(name, language=language, **values))

    def _base_of(self, view: EditionView) -> str:
        return view.site_url or self._base


def without_sections(view: EditionView, hidden: Collection[str]) -> EditionView:
    """The view without the sections whose keys are in `hidden`; a variant never changes a story."""
    if not hidden:
        return view
    return dataclasses.replace(view, sections=tuple(s for s in view.sections if s.key not in hidden))


def one_line(text: str) -> str:
    """The text with every run of white space as one space: safe in a header."""
    return " ".join(text.split())


def offset_name(when: datetime) -> str:
    """ "UTC+6", "UTC+5:30", "UTC": the offset of an aware datetime."""
    delta = when.utcoffset()
    minutes = int(delta.total_seconds()) // 60 if delta else 0
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '−'}{hours}" + (f":{rest:02}" if rest else "")


def fill(text: str, indent: int = 0) -> str:
    """The text wrapped at 78 columns; lines after the first are indented. Long words stay whole."""
    return textwrap.fill(one_line(text), TEXT_COLUMNS - indent,
                         break_long_words=False, break_on_hyphens=False).replace("\n", "\n" + " " * indent)


def underlined(text: str) -> str:
    """A heading of the text part, with a rule under it."""
    filled = fill(text)
    return f"{filled}\n{'-' * max(len(line) for line in filled.split(chr(10)))}"


def sentence(text: str) -> str:
    """The text with a capital and an end mark, as a sentence of its own."""
    text = one_line(text)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", "…")) else ".")


def _environment(templates: Mapping[str, str]) -> Environment:
    environment = Environment(
        loader=DictLoader(dict(templates)), undefined=StrictUndefined, autoescape=_is_html, finalize=_defuse,
        extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    environment.filters["fill"] = fill
    environment.filters["underlined"] = underlined
    environment.filters["sentence"] = sentence
    return environment


def _is_html(name: str | None) -> bool:
    return name is None or not name.endswith(".txt")


def _defuse(value: Any) -> Any:
    """Keeps text from outside from forming one of our %%marks%%, which are filled when a mail is addressed."""
    if isinstance(value, str) and "%%" in value:
        return type(value)(_MARK.sub("%\u2060%\\1%\u2060%", value))
    return value


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en")
