"""Variants of stored editions: which one suits a reader, and its message, rendered once and frozen with its hash."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from digest.documents import Newsletter
from digest.model import Frequency, Message, Period, Preferences, Subscription
from digest.pipeline.due import Released, due_of, missed
from digest.pipeline.render import Renderer
from digest.pipeline.slots import release_of
from digest.pipeline.variants import Variant, render, shown, since_of, variant_of
from digest.pipeline.view import EditionView, SinceView
from digest.services.envelopes import MAIL
from digest.storage import deliveries as ledger
from digest.storage import editions as storage
from digest.storage import queueing, subscribers

LOOK_BACK = 31  # so many released editions a reader may have missed


@dataclass(frozen=True, slots=True)
class Reader:
    """An active subscription and when it became active: what was released before is nothing that it missed."""

    subscription: Subscription
    since: datetime

    @property
    def target(self) -> str:
        return self.subscription.subscriber.email


class History:
    """The released editions of a newsletter before an instant; says what readers missed of them."""

    def __init__(self, conn: Connection, newsletter: Newsletter, before: datetime):
        self._newsletter = newsletter
        self.editions = {subject_of(newsletter.slug, released): released
                         for released in queueing.released_before(conn, newsletter.slug, before, LOOK_BACK)}
        self._views: dict[Released, EditionView] = {}
        self._wanted: dict[tuple[Frequency, str | None, str | None], tuple[Released, ...]] = {}

    def missed_by(self, conn: Connection, readers: Iterable[Reader]) -> dict[int, tuple[Released, ...]]:
        """The editions that readers missed since their last one, by the id of the subscription; newest first.

        Steps:
        1. who got the newest edition that they want has missed nothing;
        2. of the few others, what they got of all that may be told of.
        """
        newest: dict[str, list[Reader]] = {}
        for reader in readers:
            wanted = self._wanted_by(reader.subscription.preferences)
            if wanted and wanted[0].at >= reader.since:
                newest.setdefault(subject_of(self._newsletter.slug, wanted[0]), []).append(reader)
        without: list[Reader] = []
        for subject, asked in newest.items():
            got = queueing.reached(conn, MAIL, [reader.target for reader in asked], [subject])
            without += [reader for reader in asked if (reader.target, subject) not in got]
        return self._missed(conn, without) if without else {}

    def views(self, conn: Connection, editions: Collection[Released]) -> list[EditionView]:
        """The views of released editions, without what stands on their pages of all stories alone."""
        for released in editions:
            if released not in self._views:
                row = storage.edition_of(conn, self._newsletter.slug, released.date, released.period)
                if row is not None:
                    self._views[released] = replace(row.view, rest=())
        return [self._views[released] for released in editions if released in self._views]

    def _missed(self, conn: Connection, readers: Sequence[Reader]) -> dict[int, tuple[Released, ...]]:
        got: dict[str, list[Released]] = {}
        for target, subject in queueing.reached(conn, MAIL, [r.target for r in readers], list(self.editions)):
            got.setdefault(target, []).append(self.editions[subject])
        found = {reader.subscription.id: missed(
            self._wanted_by(reader.subscription.preferences), got.get(reader.target, ()), reader.since)
            for reader in readers}
        return {id_: editions for id_, editions in found.items() if editions}

    def _wanted_by(self, preferences: Preferences) -> tuple[Released, ...]:
        """The editions that a reader with these preferences gets when not paused, newest first."""
        key = (preferences.frequency, preferences.hour, preferences.zone)
        if key not in self._wanted:
            never_paused = replace(preferences, paused_until=None)
            self._wanted[key] = tuple(released for released in self.editions.values()
                                      if due_of(never_paused, self._newsletter, released) is not None)
        return self._wanted[key]


def subject_of(newsletter: str, released: Released) -> str:
    """The subject of an edition's deliveries."""
    return f"edition:{storage.edition_name(newsletter, released.date, released.period)}"


def of_reader(
    conn: Connection, newsletter: Newsletter, view: EditionView, subscription: Subscription
) -> Variant:
    """The variant of an edition, or of one that is planned, that a reader would get."""
    period, day = Period(view.period), datetime.fromisoformat(view.date).date()
    history = History(conn, newsletter, release_of(newsletter, day, period))
    since = subscribers.changed_at(conn, subscription.id)
    found = history.missed_by(conn, [Reader(subscription, since)]) if since else {}
    views = history.views(conn, found.get(subscription.id, ()))
    return variant_of(subscription.preferences, subscription.hidden_sections, view, views)


def last_days(conn: Connection, newsletter: Newsletter, view: EditionView, count: int) -> tuple[str, ...]:
    """The ISO days of the last released editions of its period before an edition, or before one that is planned."""
    period, day = Period(view.period), datetime.fromisoformat(view.date).date()
    found = History(conn, newsletter, release_of(newsletter, day, period)).editions.values()
    return tuple(sorted(e.date.isoformat() for e in [e for e in found if e.period is period][:count]))


def missed_views(conn: Connection, view: EditionView, variant: Variant) -> list[EditionView]:
    """The released views of the editions of which a variant tells; without those that are not there."""
    rows = (storage.edition_of(conn, view.newsletter, datetime.fromisoformat(day).date(), Period(view.period))
            for day in variant.missed)
    return [replace(row.view, rest=()) for row in rows if row and row.state in storage.RELEASED]


def message(conn: Connection, view: EditionView, variant: Variant, renderer: Renderer) -> Message | None:
    """The message of a variant, rendered now; None where it has no story. Stores nothing."""
    return render(view, variant, renderer, missed_views(conn, view, variant))


@dataclass(frozen=True, slots=True)
class Look:
    """A variant as an editor looks at it. `mailed` is False where it has no story: its readers get no mail."""

    variant: Variant
    view: EditionView
    since: SinceView | None
    message: Message
    mailed: bool


def look_at(conn: Connection, view: EditionView, variant: Variant, renderer: Renderer) -> Look:
    """A variant of an edition, or of one that is planned, with its message. Stores nothing."""
    missed = missed_views(conn, view, variant)
    short = shown(view, variant)
    rendered = render(view, variant, renderer, missed)
    return Look(variant, short, since_of(view, variant, missed), rendered or renderer.message(short),
                rendered is not None)


def freeze(conn: Connection, edition_id: int, variant: str, message: Message, newsletter: Newsletter) -> str:
    """Stores the message of a variant as readers get it, with its hash before anything personal is filled in.

    The id of the message. Idempotent.
    """
    sent = with_sender(message, newsletter)
    message_id = ledger.store_message(conn, sent)
    storage.add_message(conn, edition_id, variant, message_id, sha256(sent))
    return message_id


def with_sender(message: Message, newsletter: Newsletter) -> Message:
    """The message with the newsletter's own From, where it has one."""
    if not newsletter.sender:
        return message
    return Message(message.subject, message.html, message.text, {**message.headers, "From": newsletter.sender})


def frozen(conn: Connection, edition_id: int) -> Mapping[str, str]:
    """The ids of the messages that were frozen with an edition, by the names of their variants."""
    return {name: message_id for name, (message_id, _) in storage.variants_of(conn, edition_id).items()}


def sha256(message: Message) -> str:
    """SHA-256 of a message's subject and parts as they were rendered, marks unfilled; in hex."""
    rendered = json.dumps([message.subject, message.html, message.text], ensure_ascii=False)
    return hashlib.sha256(rendered.encode()).hexdigest()
