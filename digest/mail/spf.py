"""Whether a domain's SPF record lets an address send (RFC 7208), as far as a sender's own set-up needs it.

Macros and `exists` depend on more than the address: a record that decides by them is "unknown" here.
"""

import ipaddress
import re
from dataclasses import dataclass

from digest.errors import DnsFailure
from digest.mail.dns import Lookup

MAX_LOOKUPS = 10  # RFC 7208 §4.6.4
RESULTS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
_TERM = re.compile(r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?::([^/\s]+))?((?:/[0-9]+)?(?://[0-9]+)?)", re.I)
_MODIFIER = re.compile(r"[a-z][a-z0-9_.-]*=", re.I)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a record says of an address, and the term that decided."""

    result: str  # pass, fail, softfail, neutral, none, permerror, temperror or unknown
    why: str = ""


class _Decided(Exception):
    def __init__(self, result: str, why: str):
        self.verdict = Verdict(result, why)


def records_of(lookup: Lookup, domain: str) -> tuple[str, ...]:
    """The SPF records of a domain: one is right, several are an error. Raises DnsFailure."""
    return tuple(text for text in lookup.txt(domain) if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 "))


def evaluate(lookup: Lookup, address: str, domain: str) -> Verdict:
    """What a receiver finds for mail with this return path's domain from this address. Never raises."""
    try:
        return _Evaluation(lookup, address).of(domain)
    except _Decided as decided:
        return decided.verdict
    except DnsFailure as failure:
        return Verdict("temperror", str(failure))


class _Evaluation:
    """One evaluation: counts the look-ups of all records that it goes through."""

    def __init__(self, lookup: Lookup, address: str):
        self._lookup, self._address = lookup, ipaddress.ip_address(address)
        self._lookups = 0

    def of(self, domain: str) -> Verdict:
        records = records_of(self._lookup, domain)
        if len(records) > 1:
            raise _Decided("permerror", f"{domain} has {len(records)} SPF records: one is allowed")
        if not records:
            return Verdict("none", f"{domain} has no SPF record")
        redirect = ""
        for term in records[0].split()[1:]:
            if _MODIFIER.match(term):
                redirect = term.partition("=")[2] if term.lower().startswith("redirect=") else redirect
            elif verdict := self._term(term, domain):
                return verdict
        if redirect:
            self._count("redirect")
            found = self.of(redirect)
            return found if found.result != "none" else Verdict("permerror", found.why)
        return Verdict("neutral", "no term of the record matches")

    def _term(self, term: str, domain: str) -> Verdict | None:
        """The verdict of one mechanism; None where it does not match."""
        if "%" in term or term.lower().lstrip("+-~?").startswith(("exists:", "ptr")):
            raise _Decided("unknown", f"{term} cannot be judged from here")
        match = _TERM.fullmatch(term)
        if match is None:
            raise _Decided("permerror", f"{term!r} is no SPF term")
        sign, kind, value, lengths = match[1] or "+", match[2].lower(), match[3] or "", match[4]
        return Verdict(RESULTS[sign], term) if self._matches(kind, value or domain, lengths) else None

    def _matches(self, kind: str, value: str, lengths: str) -> bool:
        if kind in {"ip4", "ip6"}:
            return self._in(value + lengths)
        if kind == "all":
            return True
        self._count(kind)
        if kind == "include":
            found = self.of(value)
            if found.result == "none":
                raise _Decided("permerror", found.why)
            return found.result == "pass"
        hosts = self._lookup.mx(value)[:MAX_LOOKUPS] if kind == "mx" else (value,)
        short, _, long = lengths.partition("//")
        length = short if self._address.version == 4 else f"/{long}" if long else ""
        return any(self._in(found + length) for host in hosts for found in self._lookup.addresses(host)
                   if (":" in found) == (self._address.version == 6))

    def _in(self, network: str) -> bool:
        try:
            return self._address in ipaddress.ip_network(network, strict=False)
        except ValueError as error:
            raise _Decided("permerror", f"{network!r} is no network") from error

    def _count(self, kind: str) -> None:
        self._lookups += 1
        if self._lookups > MAX_LOOKUPS:
            raise _Decided("permerror", f"more than {MAX_LOOKUPS} look-ups, at {kind}")
