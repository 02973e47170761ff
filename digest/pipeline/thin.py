"""A day with few stories: whether its edition is sent short, merged with the next, or skipped. Pure.

An editor who approves a draft decides otherwise: only what nobody approved is decided here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date as Date
from datetime import timedelta

from babel.dates import format_skeleton

from digest.documents import Newsletter
from digest.locale import translator
from digest.model import Period
from digest.pipeline.view import EditionView
from digest.pipeline.wording import locale_of

# How the notes of editions that were not sent begin. A merged one's stories belong to the next, a skipped one's do not.
MERGED, SKIPPED = "merged with the next edition", "skipped as too thin"
_NOTES = {"merge": MERGED, "skip": SKIPPED}


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of an edition, "send", "merge" or "skip", and why in words. The reason is a note for the desk."""

    action: str
    reason: str

    def __str__(self) -> str:
        return f"{self.action} ({self.reason})"


def decide(view: EditionView, newsletter: Newsletter) -> Decision:
    """What the newsletter's policy says of the edition, by how many stories its mail has. A week is always sent."""
    count, thin = len(view.mailed), newsletter.thin
    told = f"{count} {'story' if count == 1 else 'stories'}"
    if view.period != Period.DAILY or count >= thin.stories:
        return Decision("send", f"{told}, {thin.stories} make a day")
    if thin.policy == "send":
        return Decision("send", f"thin, {told} of {thin.stories}: sent short")
    return Decision(thin.policy, f"{_NOTES[thin.policy]}: {told} of {thin.stories}")


def notice(
    count: int, newsletter: Newsletter, merged: Sequence[Date], today: Date, language: str | None = None
) -> str | None:
    """What readers are told of a mail of `count` stories with those of the `merged` days; None on a usual day.

    In an interface language; None: the newsletter's.
    """
    language = language or newsletter.language
    words, told = translator(language), []
    if 0 < count < newsletter.thin.stories:
        told.append(words.ngettext("A quiet day: {count} story.", "A quiet day: {count} stories.", count).format(
            count=count))
    if list(merged) == [today - timedelta(days=1)]:
        told.append(words.gettext("Yesterday’s stories are in this edition."))
    elif merged:
        days = ", ".join(format_skeleton("MMMMd", day, locale=locale_of(language)) for day in merged)
        told.append(words.gettext("The stories of {days} are in this edition.").format(days=days))
    return " ".join(told) or None
