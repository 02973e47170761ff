"""The bytes of one delivery: its message with the sender, links, headers and signatures of this instance."""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from email.utils import formataddr, parseaddr
from functools import lru_cache
from urllib.parse import urlsplit

from digest.mail.dkim import Key, Signatures
from digest.mail.message import MailingList, Personal, Prepared, Shared, one_line
from digest.mail.verp import return_path
from digest.model import Delivery, DeliveryState, Message
from digest.ports import Envelope
from digest.services import leaving
from digest.settings import Settings
from digest.tokens import Signer

MAIL = "mail"
MAX_PREPARED = 64  # messages kept ready: the variants of an edition that are in flight at a time
ALERTS = "alerts"  # the list of all keyword alerts; every other list is a newsletter


class Envelopes:
    """Writes envelopes for one instance; keeps messages ready, so that a mail costs a splice and its signatures.

    Use one for a whole run, from one thread at a time or from several.
    """

    def __init__(self, settings: Settings, signer: Signer, keys: Sequence[Key] = ()):
        self._settings, self._signer, self._keys = settings, signer, tuple(keys)
        self._prepared: OrderedDict[tuple[object, ...], Prepared] = OrderedDict()
        self._signatures: dict[str, Signatures] = {}
        self._senders: dict[str, str] = {}  # of messages that name none, by their list

    def write(self, delivery: Delivery, standing: leaving.Standing, now: datetime) -> Envelope:
        """The mail as it is handed over. Raises ValueError where an address cannot stand in a mail."""
        settings = self._settings
        called = standing.list_name or settings.site.name
        name, spec = _mailbox(delivery.message.headers.get("From") or self._sender(called), called)
        url = unsubscribe_url(settings, self._signer, delivery.unsubscribe)
        mailto = settings.mail.mailto or f"unsubscribe@{_domain(spec)}"
        recipient = ascii_domain(delivery.target)
        lines = self._prepare(delivery, standing, name, spec).write(
            Personal(
                recipient=recipient, message_id=delivery.message_id, date=now, unsubscribe_url=url,
                unsubscribe_mailto=f"mailto:{mailto}?subject=unsubscribe%20{url.rpartition('/')[2]}"),
            self._signing(spec))
        return Envelope(self._return_path(delivery, spec), recipient, delivery.message_id,
                        tuple([piece.raw for piece in lines]), tuple([piece.said for piece in lines]))

    def _prepare(self, delivery: Delivery, standing: leaving.Standing, name: str, spec: str) -> Prepared:
        message, subject = delivery.message, _feedback_subject(delivery.subject)
        key = (message.html, message.text, message.subject, *message.headers.items(), subject, standing, name, spec)
        if (found := self._prepared.get(key)) is None:
            listed = mailing_list(self._settings, standing, subject, owner=self._settings.mail.owner or spec)
            found = Prepared(message, Shared(formataddr((name, spec)), standing.reason, listed))
            self._prepared[key] = found
            while len(self._prepared) > MAX_PREPARED:
                self._prepared.popitem(last=False)
        return found

    def _sender(self, name: str) -> str:
        if (found := self._senders.get(name)) is None:
            if len(self._senders) >= MAX_PREPARED:
                self._senders.clear()
            found = self._senders[name] = default_sender(self._settings, name)
        return found

    def _signing(self, spec: str) -> Signatures:
        domain = self._settings.dkim.domain or _domain(spec)
        if domain not in self._signatures:
            self._signatures[domain] = Signatures(domain, self._keys)
        return self._signatures[domain]

    def _return_path(self, delivery: Delivery, spec: str) -> str:
        mail = self._settings.mail
        if not mail.bounce_domain:
            return spec
        return return_path(delivery.message_id, self._signer.secret, mail.bounce_domain, mail.bounce_user)


def envelope(delivery: Delivery, standing: leaving.Standing, *, settings: Settings, signer: Signer, now: datetime,
             keys: Sequence[Key] = ()) -> Envelope:
    """One mail alone, as `Envelopes` writes it."""
    return Envelopes(settings, signer, keys).write(delivery, standing, now)


def draft(message: Message, *, target: str, settings: Settings, now: datetime, subject: str = "test:preview",
          unsubscribe: str = leaving.TEST) -> Delivery:
    """A delivery that stands in no ledger, to look at its bytes with `envelope`. Equal arguments, equal bytes."""
    name = hashlib.sha256("\n".join((subject, MAIL, target, message.subject)).encode()).hexdigest()[:32]
    return Delivery(
        id=0, subject=subject, channel=MAIL, target=target, state=DeliveryState.QUEUED, phase=None,
        message_id=f"{name}@{host(settings)}", message=message, unsubscribe=unsubscribe, due_at=now, attempts=0,
        last_error=None)


def base_url(settings: Settings) -> str:
    """Where links in mails lead: the site's address, else this machine's own server."""
    return settings.site.url or f"http://localhost:{settings.server.port}"


def default_sender(settings: Settings, name: str) -> str:
    """From of mail whose message names none: mail.sender, else news@ the site's host under `name`."""
    return settings.mail.sender or formataddr((one_line(name), f"news@{host(settings)}"))


def unsubscribe_url(settings: Settings, signer: Signer, mark: str) -> str:
    """The page that ends what `mark` stands for, and where its reader sets preferences; it never expires."""
    page = "a" if mark.startswith(("alert:", "alerts:", "channel:")) else "u"
    return f"{base_url(settings)}/{page}/{signer.sign('unsubscribe', mark)}"


def mailing_list(settings: Settings, standing: leaving.Standing, feedback: str, *, owner: str) -> MailingList:
    """What the mails of a list say of it. `feedback` is "campaign:kind"."""
    base, slug = base_url(settings), standing.list_slug
    campaign, _, kind = feedback.partition(":")
    feedback_id = f"{campaign}:{slug or 'none'}:{kind}:{sender_id(settings)}"
    if not slug:
        return MailingList(feedback_id=feedback_id)
    if slug == ALERTS:
        return MailingList(f"{slug}.{host(settings)}", standing.list_name, owner, feedback_id=feedback_id)
    return MailingList(f"{slug}.{host(settings)}", standing.list_name, owner, f"{base}/{slug}/",
                       f"{base}/sign-up/{slug}", feedback_id)


def sender_id(settings: Settings) -> str:
    """What names this instance to feedback loops: 5 to 15 letters and digits of its host."""
    letters = "".join(character for character in host(settings) if character.isalnum())
    return letters[:15].ljust(5, "0")


def host(settings: Settings) -> str:
    """The host that names this instance in addresses and ids, in ASCII."""
    return _host(settings.site.url)


@lru_cache(maxsize=8)
def _host(url: str) -> str:
    name = urlsplit(url).hostname or "localhost"
    return name.encode("idna").decode("ascii")


def ascii_domain(address: str) -> str:
    """The address with its domain in ASCII (IDNA); the part before the "@" stays as it is. Raises ValueError."""
    if address.isascii():
        return address
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{domain.encode('idna').decode('ascii')}"


@lru_cache(maxsize=256)
def _feedback_subject(subject: str) -> str:
    """ "campaign:kind" of a ledger subject, the same for all readers: ids of single persons tell nothing in sum."""
    kind, _, rest = subject.partition(":")
    if kind == "edition":
        return f"{rest.partition('/')[2].replace('/', '-')}:edition"
    return f"{rest.partition(':')[0] if kind == 'notice' else kind}:{kind}"


@lru_cache(maxsize=256)
def _mailbox(sender: str, name: str) -> tuple[str, str]:
    display, spec = parseaddr(one_line(sender))
    return display or name, ascii_domain(spec)


def _domain(spec: str) -> str:
    return spec.rpartition("@")[2]
