"""Bundles of alerts for channels that are no mail: JSON for programs, some lines for chat services. Pure."""

import json
from collections.abc import Iterator
from typing import Any

from digest.locale import translator
from digest.model import Message
from digest.pipeline.alerts import AlertedStory, AlertView
from digest.query.quote import Piece

VERSION = 1  # of the JSON; keys are added without a new one, and never change their meaning
LONGEST_CHAT = 3500  # characters: Telegram takes 4096


def payload(view: AlertView, base: str) -> Message:
    """The body of a webhook: one JSON object with the stories, the rules that found them, and why now.

    Times are ISO 8601 in the zone of the first rule; `others` counts further outlets, `families` independent sources.
    """
    body = {"version": VERSION, "type": "alerts", "subject": view.subject, "rules": view.rules, "sent_at": view.sent_at,
            "more": view.more, "stories": [_story(story, base) for story in view.stories]}
    return Message(subject=view.subject, html="", text=json.dumps(body, ensure_ascii=False), headers={})


def chat(view: AlertView, base: str) -> Message:
    """A few plain lines for each story; what is too long for a chat is counted instead."""
    words = translator(view.language)
    parts: list[str] = []
    size = 0
    for story in view.stories:
        part = "\n".join(_lines(story, base))
        if parts and size + len(part) > LONGEST_CHAT:
            break
        parts.append(part)
        size += len(part) + 2
    left = len(view.stories) - len(parts) + view.more
    if left:
        parts.append(words.ngettext("and %(count)s more story", "and %(count)s more stories", left) % {"count": left})
    return Message(subject=view.subject, html="", text="\n\n".join(parts), headers={"Content-Language": view.language})


def _story(story: AlertedStory, base: str) -> dict[str, Any]:
    return {
        "id": story.id, "alert": story.alert_id, "headline": story.headline, "language": story.language,
        "url": story.url, "page": f"{base}/stories/{story.id}", "source": story.source, "time": story.time,
        "first_seen": story.first_seen, "alerted": story.alerted, "held": story.held, "families": story.families,
        "others": story.others, "update": story.is_update,
        "quotes": [{"rules": quote.rules, "sentence": _plain(quote.pieces) or story.headline, "why": quote.why,
                    "words": [piece.text for piece in quote.pieces or story.headline_pieces if piece.marked]}
                   for quote in story.quotes]}


def _lines(story: AlertedStory, base: str) -> Iterator[str]:
    yield f"{story.headline} ({story.source})"
    for quote in story.quotes:
        if quote.pieces:
            yield _plain(quote.pieces)
        yield f"{', '.join(quote.rules)}: {'; '.join(quote.why)}"
    yield story.url or f"{base}/stories/{story.id}"


def _plain(pieces: tuple[Piece, ...]) -> str:
    return "".join(piece.text for piece in pieces)
