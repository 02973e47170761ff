"""The bytes of one delivery: its message with the sender, the links and the headers of this instance."""

import hashlib
from datetime import datetime
from email.utils import formataddr, parseaddr
from urllib.parse import urlsplit

from digest.mail.message import Addressing, address, one_line
from digest.model import Delivery, DeliveryState, Message
from digest.ports import Envelope
from digest.services import leaving
from digest.settings import Settings
from digest.tokens import Signer

MAIL = "mail"


def base_url(settings: Settings) -> str:
    """Where links in mails lead: the site's address, else this machine's own server."""
    return settings.site.url or f"http://localhost:{settings.server.port}"


def default_sender(settings: Settings, name: str) -> str:
    """From of mail whose message names none: mail.sender, else news@ the site's host under `name`."""
    return settings.mail.sender or formataddr((one_line(name), f"news@{host(settings)}"))


def unsubscribe_url(settings: Settings, signer: Signer, mark: str) -> str:
    """The page that ends what `mark` stands for; it never expires."""
    page = "a" if mark.startswith(("alert:", "alerts:")) else "u"
    return f"{base_url(settings)}/{page}/{signer.sign('unsubscribe', mark)}"


def draft(message: Message, *, target: str, settings: Settings, now: datetime, subject: str = "test:preview",
          unsubscribe: str = leaving.TEST) -> Delivery:
    """A delivery that stands in no ledger, to look at its bytes with `envelope`. Equal arguments, equal bytes."""
    name = hashlib.sha256("\n".join((subject, MAIL, target, message.subject)).encode()).hexdigest()[:32]
    return Delivery(
        id=0, subject=subject, channel=MAIL, target=target, state=DeliveryState.QUEUED, phase=None,
        message_id=f"{name}@{host(settings)}", message=message, unsubscribe=unsubscribe, due_at=now, attempts=0,
        last_error=None)


def envelope(delivery: Delivery, standing: leaving.Standing, *, settings: Settings, signer: Signer,
             now: datetime) -> Envelope:
    """The mail as it is handed over. Raises ValueError where an address cannot stand in a mail."""
    name = standing.list_name or settings.site.name
    sender = delivery.message.headers.get("From") or default_sender(settings, name)
    display, spec = parseaddr(one_line(sender))
    url = unsubscribe_url(settings, signer, delivery.unsubscribe)
    mailto = settings.mail.mailto or f"unsubscribe@{spec.rpartition('@')[2]}"
    data = address(delivery.message, Addressing(
        recipient=delivery.target, message_id=delivery.message_id, sender=formataddr((display or name, spec)), date=now,
        unsubscribe_url=url, unsubscribe_mailto=f"mailto:{mailto}?subject=unsubscribe%20{url.rpartition('/')[2]}",
        reason=standing.reason, list_id=f"{standing.list_slug}.{host(settings)}" if standing.list_slug else "",
        list_name=standing.list_name))
    return Envelope(spec, delivery.target, delivery.message_id, data)


def host(settings: Settings) -> str:
    """The host that names this instance in addresses and ids, in ASCII."""
    host = urlsplit(settings.site.url).hostname or "localhost"
    return host.encode("idna").decode("ascii")
