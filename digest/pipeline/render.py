"""Renders a view model: HTML mail, text, JSON and web pages, all from the same values.

Pure: template texts and catalogues come in as a mapping, nothing is read or fetched, and equal views give equal bytes.
Typography is set here alone: views and their JSON hold the text as it came.
"""

import dataclasses
import json
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from gettext import NullTranslations
from typing import Any

import css_inline
from jinja2 import DictLoader, Environment, StrictUndefined

from digest.locale import translations
from digest.model import Message
from digest.pipeline.link_texts import disarm
from digest.pipeline.typography import typeset
from digest.pipeline.view import EditionView, SinceView, ThemeView
from digest.pipeline.wording import Wording

TEXT_COLUMNS = 78
DEFAULT_BASE = "http://localhost:8080"
DEFAULT_THEME = ThemeView()
FONTS = {
    "serif": "Georgia, 'Times New Roman', serif",
    "sans": "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
}
_MARK = re.compile(r"%%(\w+)%%")


@dataclass(frozen=True, slots=True)
class Look:
    """A theme as mail templates use it: every token has a value; "" is no logo."""

    accent: str
    accent_dark: str
    font: str  # of headlines and text
    sans: str  # of everything else
    logo_url: str


def look_of(theme: ThemeView) -> Look:
    """The look of a theme; what it leaves open is the templates' own."""
    return Look(theme.accent or "#8f2d1f", theme.accent_dark or "#f0a394", FONTS[theme.font], FONTS["sans"],
                theme.logo_url)


class Renderer:
    """Renders views with one set of template texts, named "email/edition.html".

    A text named "newsletters/SLUG/email/edition.html" wins for that newsletter's editions; catalogues are named
    "locale/ru.po". `base` is the address that links to our own pages begin with where the view has no site_url.
    Does not decide what is shown: that is the view.
    """

    def __init__(self, templates: Mapping[str, str], *, base: str = DEFAULT_BASE):
        self.templates = dict(templates)
        self._base = base.rstrip("/")
        self._kits: dict[tuple[str, str], _Kit] = {}

    def message(self, view: EditionView) -> Message:
        """The mail of an edition, with the marks `%%unsubscribe%%` and `%%reason%%` still in it."""
        return message_of(view, self.html(view), self.text(view))

    def html(self, view: EditionView, since: SinceView | None = None) -> str:
        """The HTML part, styles inlined; with what its reader missed."""
        return self.mail_html("email/edition.html", language=view.language, slug=view.newsletter, theme=view.theme,
                              view=view, since=since, base=self._base_of(view))

    def text(self, view: EditionView, since: SinceView | None = None) -> str:
        """The text part: the same stories, at most 78 columns except for addresses."""
        return self.render("email/edition.txt", language=view.language, slug=view.newsletter,
                           view=view, since=since, base=self._base_of(view))

    def json(self, view: EditionView, since: SinceView | None = None) -> str:
        """The view for people and programs: indented, in the order of the page."""
        more = {"since": dataclasses.asdict(since)} if since else {}
        return json.dumps({**dataclasses.asdict(view), **more}, ensure_ascii=False, indent=2) + "\n"

    def page(self, view: EditionView, kind: str = "edition", **values: Any) -> str:
        """A web page of the edition. `kind` is "edition" or "all" (every story); links to our pages are relative."""
        return self.render(f"web/{kind}.html", language=view.language, slug=view.newsletter, view=view,
                           **{"corrections": (), **values})

    def render(self, name: str, *, language: str = "en", slug: str = "", **values: Any) -> str:
        """Any template with `language` and `locale` (Wording). HTML is escaped, text is not; no styles inlined.

        `slug` names the newsletter whose own templates win; "" takes none.
        """
        kit = self._kit(language, slug)
        return kit.environment.get_template(name).render(language=language, locale=kit.wording, **values)

    def mail_html(self, name: str, *, language: str = "en", slug: str = "", theme: ThemeView = DEFAULT_THEME,
                  **values: Any) -> str:
        """A template of an HTML mail that extends email/mail.html, with email/edition.css inlined, links disarmed."""
        look = look_of(theme)
        inliner = css_inline.CSSInliner(
            inline_style_tags=False, keep_style_tags=True, load_remote_stylesheets=False,
            extra_css=self.render("email/edition.css", slug=slug, look=look))
        return disarm(inliner.inline(self.render(name, language=language, slug=slug, look=look, **values)))

    def words(self, language: str) -> NullTranslations:
        """The translations of an interface language, for what is said outside of templates."""
        return self._kit(language, "").translations

    def _kit(self, language: str, slug: str) -> "_Kit":
        if (language, slug) not in self._kits:
            self._kits[language, slug] = _Kit(own_templates(self.templates, slug), language)
        return self._kits[language, slug]

    def _base_of(self, view: EditionView) -> str:
        return view.site_url or self._base


@dataclass
class _Kit:
    """What renders one newsletter's templates in one interface language."""

    templates: Mapping[str, str]
    language: str

    @cached_property
    def translations(self) -> NullTranslations:
        return translations(self.templates.get(f"locale/{self.language}.po", ""))

    @cached_property
    def wording(self) -> Wording:
        return Wording(self.language, self.translations)

    @cached_property
    def environment(self) -> Environment:
        environment = Environment(
            loader=DictLoader(dict(self.templates)), undefined=StrictUndefined, autoescape=_is_html, finalize=_defuse,
            extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
        environment.install_gettext_translations(self.translations, newstyle=True)  # type: ignore[attr-defined]
        environment.filters.update(fill=fill, underlined=underlined, sentence=sentence, typeset=typeset)
        return environment


def own_templates(templates: Mapping[str, str], slug: str) -> dict[str, str]:
    """The texts that a newsletter's editions are rendered from: its own where it has some, and all catalogues.

    Own texts of other newsletters are left out. Idempotent.
    """
    own = f"newsletters/{slug}/"
    shared = {name: text for name, text in templates.items() if not name.startswith("newsletters/")}
    return {**shared, **{name.removeprefix(own): text for name, text in templates.items() if name.startswith(own)}}


def message_of(view: EditionView, html: str, text: str) -> Message:
    """The mail of an edition from its rendered parts."""
    return Message(one_line(view.subject), html, text, {"Content-Language": view.language})


def one_line(text: str) -> str:
    """The text with every run of white space as one space: safe in a header."""
    return " ".join(text.split())


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


def _is_html(name: str | None) -> bool:
    return name is None or name.endswith(".html")


def _defuse(value: Any) -> Any:
    """Keeps text from outside from forming one of our %%marks%%, which are filled when a mail is addressed."""
    if isinstance(value, str) and "%%" in value:
        return type(value)(_MARK.sub("%\u2060%\\1%\u2060%", value))
    return value
