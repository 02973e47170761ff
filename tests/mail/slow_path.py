"""A mail made whole by the email package for one reader: what the spliced bytes must equal."""

from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from html import escape

from digest.mail.bodies import encoding_of
from digest.mail.headers import POLICY, mailbox, one_line
from digest.mail.message import DEFUSED_MARK, Personal, Shared
from digest.model import Message, fill_marks


def write(message: Message, shared: Shared, to: Personal) -> bytes:
    """The mail without the fields for lists, whose addresses are too long for the email package."""
    mail = EmailMessage(POLICY)
    mail["From"] = mailbox(shared.sender)
    mail["To"] = mailbox(to.recipient)
    mail["Date"] = format_datetime(to.date)
    mail["Subject"] = one_line(message.subject)
    reason = shared.reason.replace("%%unsubscribe%%", DEFUSED_MARK)
    text = fill_marks(message.text, unsubscribe=to.unsubscribe_url, reason=reason)
    html = fill_marks(message.html, unsubscribe=escape(to.unsubscribe_url), reason=escape(reason))
    mail["MIME-Version"] = "1.0"
    mail.set_content(text, cte=encoding_of(message.text.replace("%%reason%%", reason)))
    if message.html:
        mail.add_alternative(html, subtype="html",
                             cte=encoding_of(message.html.replace("%%reason%%", escape(reason))))
        content = f"{message.subject}\0{message.html}\0{message.text}"
        mail.set_boundary(f"=_{sha256(content.encode()).hexdigest()[:32]}")
    for name, value in message.headers.items():
        mail[name] = one_line(value)
    return mail.as_bytes()
