"""Who comes with the signed link of a mail, what they are shown, and what they set there.

The link of a mail goes wherever the mail is forwarded. So it may set how a newsletter comes and end it, and no more:
another address and personal data need a link that is mailed to the address itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from digest.documents import Configuration, Newsletter
from digest.errors import NotFound
from digest.locale import LANGUAGES
from digest.model import Subscriber, Subscription
from digest.pipeline.slots import local_date
from digest.pipeline.wording import locale_of, offset_name
from digest.services import leaving, preferences, subscribers
from digest.services.addresses import masked
from digest.services.preferences import Choices
from digest.tokens import Signer

SCALARS = ("frequency", "paused_until", "hour", "zone", "language", "format")


@dataclass(frozen=True, slots=True)
class Reader:
    """Who comes with a link. `subscription` is one that is active; None where they come for something else."""

    mark: str
    subscriber: Subscriber
    subscription: Subscription | None
    language: str

    @property
    def active(self) -> Subscription:
        """The active subscription. Raises NotFound where there is none."""
        if self.subscription is None:
            raise NotFound("subscription", self.mark)
        return self.subscription


@dataclass(frozen=True, slots=True)
class PreferencesForm:
    """What the page of a link shows. `read` and `others` say of each whether it is ticked."""

    newsletter: Newsletter
    values: Mapping[str, str]  # by preferences.NAMES
    hidden: tuple[str, ...]
    sections: tuple[tuple[str, str], ...]
    read: tuple[tuple[str, str, bool], ...]
    languages: tuple[tuple[str, str], ...]
    zones: tuple[tuple[str, str], ...]
    others: tuple[tuple[Newsletter, bool], ...]
    address: str  # masked: its owner knows it, others need not


def reader_of(conn: Connection, token: str, configuration: Configuration, signer: Signer, *, site_language: str,
              now: datetime) -> Reader | None:
    """Whose link this is; None where it is nobody's, as of a test mail. Raises TokenError or NotFound."""
    mark = signer.read("unsubscribe", token, now)
    kind, number = leaving.split(mark)
    if kind == "subscription":
        own = subscribers.find(conn, number)
        language = preferences.language_of(own, configuration.newsletters.get(own.newsletter), site_language)
        return Reader(mark, own.subscriber, own if own.state == "active" else None, language)
    owner = leaving.owner_of(conn, mark)
    return Reader(mark, owner, None, site_language) if owner else None


def form_of(conn: Connection, reader: Reader, configuration: Configuration, now: datetime) -> PreferencesForm | None:
    """What a reader may set; None where they read nothing here or the newsletter is no more."""
    own = reader.subscription
    newsletter = configuration.newsletters.get(own.newsletter) if own else None
    if own is None or newsletter is None:
        return None
    offered = preferences.choices(newsletter, configuration, reader.language)
    return PreferencesForm(
        newsletter, preferences.in_words(own), own.hidden_sections, offered.sections,
        _languages(offered.read, own.preferences.read, reader.language),
        tuple((code, locale_of(code).languages.get(code, code)) for code in LANGUAGES),
        _zones(own.preferences.zone or newsletter.zone, now), _others(conn, own, configuration),
        masked(own.subscriber.email))


def save(conn: Connection, reader: Reader, values: Mapping[str, list[str]], configuration: Configuration,
         now: datetime) -> None:
    """Stores what the fields of a form say. Idempotent; raises NotFound or PreferenceRefused.

    What the form has no field for stays; boxes count where the field `boxes` says that they were shown.
    """
    own = reader.active
    newsletter = configuration.newsletters.get(own.newsletter)
    if newsletter is None:
        raise NotFound("newsletter", own.newsletter)
    offered = preferences.choices(newsletter, configuration, reader.language)
    words = {name: values[name][-1] for name in SCALARS if name in values}
    if "boxes" in values:
        words |= _boxes(values, offered)
        _read_others(conn, own, values.get("newsletters", []), configuration, now)
    wanted = preferences.changed(preferences.wanted(own), words, offered, local_date(newsletter, now))
    preferences.store(conn, own.id, wanted)


def _boxes(values: Mapping[str, list[str]], offered: Choices) -> dict[str, str]:
    shown = values.get("sections", [])
    words = {"hidden_sections": " ".join(key for key, _ in offered.sections if key not in shown)}
    return {**words, "read": " ".join(values.get("read", []))} if offered.read else words


def _read_others(conn: Connection, own: Subscription, ticked: list[str], configuration: Configuration,
                 now: datetime) -> None:
    """Subscribes to the other newsletters that are ticked and leaves those that are not."""
    read = {s.newsletter: s for s in subscribers.subscriptions_of(conn, own.subscriber)}
    for slug in configuration.newsletters:
        if slug == own.newsletter:
            continue
        if slug in ticked:
            subscribers.subscribe(conn, slug, own.subscriber.email, own.subscriber.consent_source, now, again=True)
        elif slug in read:
            subscribers.leave(conn, read[slug].id, now)


def _others(conn: Connection, own: Subscription, configuration: Configuration) -> tuple[tuple[Newsletter, bool], ...]:
    read = {s.newsletter for s in subscribers.subscriptions_of(conn, own.subscriber) if s.state == "active"}
    return tuple((newsletter, slug in read) for slug, newsletter in configuration.newsletters.items()
                 if slug != own.newsletter)


def _languages(offered: tuple[str, ...], read: tuple[str, ...], language: str) -> tuple[tuple[str, str, bool], ...]:
    names = locale_of(language).languages
    return tuple((code, names.get(code, code), not read or code in read) for code in offered)


def _zones(current: str, now: datetime) -> tuple[tuple[str, str], ...]:
    """Zones with their offsets of today, the current one among them."""
    names = preferences.zones()
    return tuple((name, f"{name.replace('_', ' ')} · {offset_name(now.astimezone(ZoneInfo(name)))}")
                 for name in (names if current in names else (current, *names)))
