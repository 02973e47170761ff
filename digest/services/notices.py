"""Mails about a reader's own affairs: a few sentences and one link to a page, with the way out at the foot."""

from dataclasses import dataclass
from typing import Any

from digest.model import Message
from digest.pipeline.render import Renderer
from digest.settings import Settings


@dataclass(frozen=True, slots=True)
class Notice:
    """What a notice says, in English as it stands in the catalogues; `leave` names the way out."""

    subject: str
    title: str
    text: str
    button: str
    leave: str


def message(notice: Notice, link: str, *, language: str, settings: Settings, renderer: Renderer,
            days: int) -> Message:
    """The mail of a notice in a language; its link works for so many days."""
    gettext = renderer.words(language).gettext
    names = ("subject", "title", "text", "button", "leave")
    values: dict[str, Any] = {name: gettext(getattr(notice, name)) for name in names}
    values |= {"link": link, "days": days, "postal_address": settings.site.postal_address}
    return Message(
        subject=f"{values['subject']} · {settings.site.name}",
        html=renderer.mail_html("email/notice.html", language=language, **values),
        text=renderer.render("email/notice.txt", language=language, **values),
        headers={"Content-Language": language})
