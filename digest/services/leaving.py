"""What leaving means: the marks that deliveries and unsubscribe links carry.

"subscription:ID" is one newsletter of one reader, "alert:ID" one alert rule, "channel:ID" what one rule sends to one
target, "alerts:SUBSCRIBER" all alerts of a person, "change:ID" a wish for another address, "test" a mail that somebody
sent to try things, "operator" a note to whoever runs the instance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Connection

from digest.alert_rules import MAIL, AlertRule, Channel
from digest.errors import NotFound
from digest.locale import translator
from digest.model import AddressChange, Subscriber, Subscription
from digest.pipeline.typography import typeset
from digest.storage import address_changes, subscribers
from digest.storage import alert_rules as alerts
from digest.storage.subscribers import Listing

TEST, OPERATOR = "test", "operator"
KINDS = frozenset({"subscription", "alert", "alerts", "channel", "change"})  # of marks that have a number


@dataclass(frozen=True, slots=True)
class Standing:
    """Why a reader gets a mail, and of which list it is ("" for none)."""

    reason: str
    list_slug: str = ""
    list_name: str = ""


@dataclass(frozen=True, slots=True)
class Leaving:
    """What a mark would end, in words; `over`: it has ended already. `rest` is what the reader gets besides."""

    what: str
    over: bool
    rest: tuple[str, ...] = ()
    is_change: bool = False  # a change of address, which is nobody's mail


def subscription_mark(subscription_id: int) -> str:
    """The mark of one subscription."""
    return f"subscription:{subscription_id}"


def change_mark(change_id: int) -> str:
    """The mark of a change of address: to leave it is to give it up."""
    return f"change:{change_id}"


def alerts_mark(conn: Connection, rules: Sequence[AlertRule], target: str, kind: str = MAIL) -> str:
    """The mark of what tells a target of a channel what these rules found."""
    if len(rules) > 1 and kind == MAIL:
        subscriber = subscribers.subscriber_by_email(conn, target)
        if subscriber is not None:
            return f"alerts:{subscriber.id}"
    rule = rules[0]
    if kind == MAIL and rule.owner and rule.owner.email == target:
        return f"alert:{rule.id}"
    channels = alerts.channels_of(conn, [rule.id]).get(rule.id, [])
    own = [channel.id for channel in channels if (channel.kind, channel.target) == (kind, target)]
    return f"channel:{own[0]}" if own else f"alert:{rule.id}"


def signed_up(newsletter_name: str, language: str = "en") -> str:
    """Why a reader gets an edition who asked for it."""
    text = translator(language).gettext("You get this because you signed up to {name}.")
    return text.format(name=newsletter_name)


def standing(conn: Connection, mark: str, *, subject: str, language: str = "en") -> Standing | None:
    """Why the mail `subject` is wanted; None where its reader left or the mark names nothing.

    `language` is that of the mail.
    """
    words = translator(language)
    try:
        kind, number = split(mark)
        if kind == OPERATOR:
            return Standing("You get this because your address is mail.operator in config/digest.toml.")
        if kind == TEST:
            return Standing(words.gettext("You get this because somebody sent a test mail to this address."))
        if subject.startswith("notice:data:"):
            return Standing(words.gettext("You get this because somebody asked for the data of this address."))
        if kind == "change":
            return _change_standing(conn, number, language)
        if kind == "subscription":
            return _subscription_standing(conn, _subscription(conn, number), subject, language)
        rules = _rules(conn, kind, number)
        if subject.startswith("notice:alert:"):
            return _asked_standing(rules[0], language)
        rules = [rule for rule in rules if rule.state == "active"]
        if kind == "channel" and _channel(conn, number).state != "active":
            return None
    except NotFound:
        return None
    reason = words.ngettext("You get this because of the alert {names}.", "You get this because of the alerts {names}.",
                            len(rules))
    return Standing(reason.format(names=_names(rules, language)), "alerts") if rules else None


def standings(conn: Connection, mails: Sequence[tuple[str, str, str]]) -> list[Standing | None]:
    """What `standing` says of each (mark, subject, language); subscriptions are read together."""
    listings = subscribers.listings(conn, {_subscription_number(mark) for mark, _, _ in mails} - {0})
    found = []
    for mark, subject, language in mails:
        number = _subscription_number(mark)
        if number and not subject.startswith("notice:"):
            found.append(_listing_standing(listings.get(number), subject, language))
        else:
            found.append(standing(conn, mark, subject=subject, language=language))
    return found


def language_of(conn: Connection, mark: str) -> str:
    """The language in which a change of address was asked for; "" of any other mark."""
    kind, number = split(mark)
    return _change(conn, number).language if kind == "change" else ""


def owner_of(conn: Connection, mark: str) -> Subscriber | None:
    """Whose alerts a mark is of; None of any other mark. Raises NotFound where it names nothing."""
    kind, number = split(mark)
    if kind == "alerts":
        return subscribers.subscriber_by_id(conn, number)
    if kind == "channel":
        return subscribers.subscriber_by_email(conn, _channel(conn, number).target)
    return _rules(conn, kind, number)[0].owner if kind == "alert" else None


def describe(conn: Connection, mark: str, language: str = "en") -> Leaving:
    """What the mark stands for, before it is ended, in words of a language. Raises NotFound where it names nothing."""
    kind, number = split(mark)
    if kind in (TEST, OPERATOR):
        return Leaving("", over=True)
    if kind == "subscription":
        subscription = _subscription(conn, number)
        rest = _rest(conn, subscription.subscriber, language, but=mark)
        return Leaving(_name(conn, subscription), subscription.state == "left", rest)
    if kind == "change":
        what = translator(language).gettext("the change of address")
        return Leaving(what, _change(conn, number).state != "open", is_change=True)
    rules = _rules(conn, kind, number)
    owner = owner_of(conn, mark)
    left = [rule for rule in rules if rule.state != "removed"]
    if kind == "channel" and _channel(conn, number).state != "active":
        left = []
    rest = _rest(conn, owner, language, but=mark, rules=left) if owner else ()
    return Leaving(_alerts_in_words(left or rules, language), not left, rest)


def leave(conn: Connection, mark: str, now: datetime, language: str = "en") -> Leaving:
    """Ends what the mark stands for and says what it was. Idempotent; raises NotFound where it names nothing.

    What is queued and not yet being sent is withdrawn when it comes up.
    """
    leaving = describe(conn, mark, language)
    kind, number = split(mark)
    if kind == "subscription":
        subscribers.set_state(conn, number, "left", now)
    elif kind == "change":
        address_changes.set_state(conn, number, "cancelled")
    elif kind == "channel":
        alerts.stop_channel(conn, number)
    elif kind not in (TEST, OPERATOR):
        _end_alerts(conn, kind, number)
    return leaving


def _end_alerts(conn: Connection, kind: str, number: int) -> None:
    """Removes the rules of a mark; of rules that are somebody else's it ends what they send to this person."""
    person = subscribers.subscriber_by_id(conn, number) if kind == "alerts" else None
    for rule in _rules(conn, kind, number):
        if person is None or (rule.owner and rule.owner.id == person.id):
            alerts.remove_rule(conn, rule.id)
        else:
            for channel in alerts.channels_of(conn, [rule.id]).get(rule.id, []):
                if (channel.kind, channel.target) == (MAIL, person.email):
                    alerts.stop_channel(conn, channel.id)


def split(mark: str) -> tuple[str, int]:
    """The kind and the number of a mark; number 0 where it has none. Raises NotFound where it is no mark."""
    kind, _, number = mark.partition(":")
    if kind in (TEST, OPERATOR):
        return kind, 0
    if kind not in KINDS or not number.isdecimal() or len(number) > 9:
        raise NotFound("subscription", mark)
    return kind, int(number)


def _subscription_number(mark: str) -> int:
    """The number of a subscription's mark; 0 of any other."""
    kind, _, number = mark.partition(":")
    return int(number) if kind == "subscription" and number.isdecimal() and len(number) <= 9 else 0


def _subscription_standing(
    conn: Connection, subscription: Subscription, subject: str, language: str
) -> Standing | None:
    name = _name(conn, subscription)
    listing = Listing(name, subscription.newsletter, subscription.state, subscription.subscriber.consent_source)
    return _listing_standing(listing, subject, language)


def _listing_standing(listing: Listing | None, subject: str, language: str) -> Standing | None:
    if listing is None:
        return None
    return _worded(listing, subject.startswith("notice:confirm:"), language)


@lru_cache(maxsize=512)
def _worded(listing: Listing, to_confirm: bool, language: str) -> Standing | None:
    """One value for all readers of a newsletter, so that what is made of it is made once."""
    name, words = listing.name, translator(language)
    if to_confirm:
        text = words.gettext("You get this because somebody entered this address at the sign-up page of {name}.")
    elif listing.state != "active":
        return None
    elif listing.consent_source == "double-opt-in":
        return Standing(signed_up(name, language), listing.newsletter, name)
    else:
        text = words.gettext("You get this because you were added to the readers of {name}.")
    return Standing(text.format(name=name), listing.newsletter, name)


def _asked_standing(rule: AlertRule, language: str) -> Standing | None:
    """Of a rule that waits to be confirmed."""
    if rule.state != "pending":
        return None
    return Standing(translator(language).gettext(
        "You get this because somebody entered this address at the page for new alerts."))


def _change_standing(conn: Connection, change_id: int, language: str) -> Standing | None:
    if _change(conn, change_id).state != "open":
        return None
    return Standing(translator(language).gettext(
        "You get this because somebody entered an address on a page of a reader’s preferences."))


def _change(conn: Connection, change_id: int) -> AddressChange:
    change = address_changes.change_by_id(conn, change_id)
    if change is None:
        raise NotFound("change of address", str(change_id))
    return change


def _subscription(conn: Connection, subscription_id: int) -> Subscription:
    subscription = subscribers.subscription_by_id(conn, subscription_id)
    if subscription is None:
        raise NotFound("subscription", str(subscription_id))
    return subscription


def _rules(conn: Connection, kind: str, number: int) -> list[AlertRule]:
    """The rules of a mark: one, also where it was removed, or all that a person still has or is mailed by."""
    if kind == "alerts":
        return alerts.rules_to(conn, number)
    rule = alerts.rule_by_id(conn, _channel(conn, number).rule_id if kind == "channel" else number)
    if rule is None:
        raise NotFound("alert rule", str(number))
    return [rule]


def _channel(conn: Connection, channel_id: int) -> Channel:
    channel = alerts.channel_by_id(conn, channel_id)
    if channel is None:
        raise NotFound("channel of an alert", str(channel_id))
    return channel


def _rest(conn: Connection, subscriber: Subscriber, language: str, *, but: str,
          rules: Sequence[AlertRule] = ()) -> tuple[str, ...]:
    """What a subscriber gets besides what a mark stands for, which is `rules` where it is of alerts."""
    names = [_name(conn, s) for s in subscribers.subscriptions_by(conn, subscriber.id)
             if s.state == "active" and subscription_mark(s.id) != but]
    if not but.startswith("alerts:"):
        ended = {rule.id for rule in rules}
        names += [_alerts_in_words([rule], language) for rule in alerts.rules_to(conn, subscriber.id)
                  if rule.id not in ended]
    return tuple(names)


def _name(conn: Connection, subscription: Subscription) -> str:
    return subscribers.newsletter_name(conn, subscription.newsletter) or subscription.newsletter


def _alerts_in_words(rules: list[AlertRule], language: str) -> str:
    words = translator(language)
    if not rules:
        return words.gettext("your alerts")
    return words.ngettext("the alert {names}", "the alerts {names}", len(rules)).format(
        names=_names(rules, language))


def _names(rules: list[AlertRule], language: str) -> str:
    return ", ".join(typeset(f'"{rule.name}"', language) for rule in rules)
