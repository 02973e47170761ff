"""What one mail costs in CPU, beside its floor and the email package in the same run: python -m bench.message"""

import argparse
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP

from digest.mail.dkim import Key, new_key
from digest.model import Message, fill_marks
from digest.services import leaving
from digest.services.envelopes import Envelopes, draft
from digest.settings import MailSettings, Settings, SiteSettings
from digest.tokens import Signer

NOW = datetime(2026, 1, 5, 2, 0, tzinfo=UTC)
SETTINGS = Settings(site=SiteSettings(url="https://news.example.org"), mail=MailSettings(bounce_domain="b.example.org"))
STANDING = leaving.Standing("You get this because you signed up to Kazakhstan News.", "kazakhstan", "Kazakhstan News")
WORDS = {"Latin": "railway bypass to the Caspian port ", "Cyrillic": "теміржол айналма жолы бекітілді "}
ROUNDS = 3  # the best is printed


def message_of(script: str, kilobytes: int) -> Message:
    """A message whose mail has about that size, with personal places at its top and end."""
    row = f"<tr><td style='font-size: 16px; color: #222222'>{WORDS[script] * 3}</td></tr>\n"
    leave = "<p><a href='%%unsubscribe%%'>Unsubscribe</a></p>\n"
    count = kilobytes * 800 // (len(row.encode()) if script == "Latin" else len(row.encode()) * 4 // 3)
    text = f"{WORDS[script] * 2}\n" * (count // 2) + "%%reason%%\n%%unsubscribe%%\n"
    return Message("Kazakhstan News", f"{leave}{row * count}<p>%%reason%%</p>{leave}", text, {"Content-Language": "en"})


def milliseconds(work: Callable[[int], object], count: int) -> float:
    """CPU time of one call, the best of some rounds; calls are numbered."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        for number in range(count):
            work(number)
        best = min(best, (time.process_time() - start) / count * 1000)
    return best


def _writing(message: Message, keys: Sequence[Key]) -> Callable[[int], object]:
    envelopes = Envelopes(SETTINGS, Signer(bytes(32)), keys)
    first = draft(message, target="reader@example.org", settings=SETTINGS, now=NOW,
                  subject="edition:kazakhstan/2026-01-05")

    def write(number: int) -> bytes:
        mail = replace(first, target=f"reader{number}@example.org", message_id=f"{number:032x}@news.example.org",
                       unsubscribe=f"subscription:{number}")
        return envelopes.write(mail, STANDING, NOW).data

    return write


def _whole(message: Message, number: int) -> bytes:
    """The mail as the email package makes it for one reader, without signatures or links of a list."""
    url = f"https://news.example.org/u/{number:090d}"
    mail = EmailMessage(SMTP)
    mail["From"], mail["To"] = "Kazakhstan News <news@news.example.org>", f"reader{number}@example.org"
    mail["Subject"] = message.subject
    mail.set_content(fill_marks(message.text, unsubscribe=url, reason=STANDING.reason))
    mail.add_alternative(fill_marks(message.html, unsubscribe=url, reason=STANDING.reason), subtype="html")
    return mail.as_bytes()


def measure(script: str, kilobytes: int, count: int) -> None:
    message = message_of(script, kilobytes)
    rsa, ed25519 = new_key("a", "rsa"), new_key("b", "ed25519")
    data = _writing(message, ())(0)
    assert isinstance(data, bytes)
    print(f"{script}, {len(data):,} bytes a mail, {count:,} mails")
    floors = {"RSA-2048 signature alone (floor)": lambda _: rsa.sign(data[:2000]),
              "SHA-256 of the mail alone (floor)": lambda _: hashlib.sha256(data).digest()}
    rows: dict[str, Callable[[int], object]] = {
        **floors, "spliced, not signed": _writing(message, ()), "spliced, ed25519": _writing(message, (ed25519,)),
        "spliced, RSA-2048": _writing(message, (rsa,)), "spliced, both": _writing(message, (rsa, ed25519)),
        "email package, not signed": lambda number: _whole(message, number)}
    times = {name: milliseconds(work, count) for name, work in rows.items()}
    for name, each in times.items():
        print(f"  {name:<36} {each:8.3f} ms")
    floor = sum(times[name] for name in floors)
    print(f"  spliced and signed with RSA-2048: {times['spliced, RSA-2048'] / floor:.2f}x its floors; "
          f"splicing: 1/{times['email package, not signed'] / times['spliced, not signed']:.0f} of the email package")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=2000)
    parser.add_argument("--kilobytes", type=int, default=43)
    options = parser.parse_args(arguments)
    for script in WORDS:
        measure(script, options.kilobytes, options.mails)


if __name__ == "__main__":
    main()
