"""E-mail addresses: their one normal form, and which ones may sign up.

The normal form has the domain in ASCII (IDNA 2008, UTS 46) and everything in lower case; letters before the @ that are
not ASCII (RFC 6531) stay, in Unicode form NFC. No DNS is asked.
"""

from dataclasses import dataclass
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

from digest.errors import AddressRefused
from digest.locale import N_
from digest.settings import SignUpSettings

MAX_LENGTH = 254  # octets of an address that a mail path has room for (RFC 5321 §4.5.3.1.3)
MAX_NAME = 64  # octets before the @ (RFC 5321 §4.5.3.1.1)

EMPTY = N_("No address was given.")
NO_AT = N_("An address has one @, between a name and a domain.")
TOO_LONG = N_("It is longer than an address can be.")
BAD_NAME = N_("What stands before the @ cannot be part of an address.")
BAD_DOMAIN = N_("What stands after the @ is not the name of a mail domain.")
THROW_AWAY = N_("It belongs to a service of throw-away addresses.")
NOT_ASCII = N_("Our mail server cannot write to addresses with such letters before the @.")


def normalise_address(email: str) -> str:
    """The normal form of an address. Idempotent; raises AddressRefused with a plain reason."""
    typed = email.strip()
    if reason := _plain_fault(typed):
        raise AddressRefused(typed[:80], reason)
    try:
        checked = _checked(typed)
    except EmailNotValidError as error:
        raise AddressRefused(typed[:80], _reason(typed)) from error
    name = (checked.ascii_local_part or checked.local_part).lower()
    normal = f"{name}@{checked.ascii_domain.lower()}"
    if len(name.encode()) > MAX_NAME or len(normal.encode()) > MAX_LENGTH:
        raise AddressRefused(typed[:80], TOO_LONG)
    return normal


def address_for_sign_up(email: str, settings: SignUpSettings) -> str:
    """The normal form of an address that its owner signs up with. Raises AddressRefused, also where the domain is
    refused or throw-away, and where its letters need SMTPUTF8 that the operator's server does not have.
    """
    address = normalise_address(email)
    if not settings.international and not address.isascii():
        raise AddressRefused(address, NOT_ASCII)
    if is_refused(address.rpartition("@")[2], settings):
        raise AddressRefused(address, THROW_AWAY)
    return address


def is_refused(domain: str, settings: SignUpSettings) -> bool:
    """Whether a domain in ASCII, or one that it lies in, is throw-away or refused; allowed ones win."""
    labels = domain.split(".")
    domains = {".".join(labels[n:]) for n in range(len(labels) - 1)}
    if domains & set(settings.allow_domains):
        return False
    return bool(domains & set(settings.refuse_domains)) or not domains.isdisjoint(_throw_away())


def mailbox_key(address: str) -> str:
    """What limits count an address by: "a.b+tag@gmail.com" is the mailbox of "ab@gmail.com", a tag is nobody's own."""
    name, _, domain = address.rpartition("@")
    name = name.partition("+")[0] or name
    if domain in {"gmail.com", "googlemail.com"}:
        name, domain = name.replace(".", ""), "gmail.com"
    return f"{name}@{domain}"


def masked(address: str) -> str:
    """ "r…@example.org": its owner knows it, others need not."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}…@{domain}"


@dataclass(frozen=True, slots=True)
class _Checked:
    local_part: str
    ascii_local_part: str | None
    ascii_domain: str


def _checked(typed: str) -> _Checked:
    """The parts of an address. Raises EmailNotValidError."""
    found = validate_email(typed, check_deliverability=False, test_environment=True, strict=True, allow_smtputf8=True)
    return _Checked(found.local_part, found.ascii_local_part, found.ascii_domain)


def _plain_fault(typed: str) -> str:
    """What can be said without looking closer; "" where nothing is wrong so far."""
    if not typed:
        return EMPTY
    if len(typed) > MAX_LENGTH:
        return TOO_LONG
    return "" if typed.count("@") == 1 and not typed.startswith("@") and not typed.endswith("@") else NO_AT


def _reason(typed: str) -> str:
    """Which part of a wrong address is wrong."""
    name, _, domain = typed.rpartition("@")
    try:
        _checked(f"a@{domain}")
    except EmailNotValidError:
        return BAD_DOMAIN
    return TOO_LONG if len(name.encode("utf-8", "replace")) > MAX_NAME else BAD_NAME


@lru_cache(maxsize=1)
def _throw_away() -> frozenset[str]:
    from disposable_email_domains import blocklist  # a list of ten thousand, for who needs it

    return frozenset(blocklist)
