"""The DNS records that mail of this instance needs, and what is said of them now: SPF, DKIM, DMARC, return path, PTR.

Each record is printed as a line of a zone file. What an operator must decide (whose servers send, how strict DMARC is)
is kept as DNS has it, where it has it.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parseaddr
from functools import partial

from digest.errors import DnsFailure
from digest.mail import spf
from digest.mail.dkim import Key
from digest.mail.dns import Lookup
from digest.pipeline.hosts import host_of
from digest.services.dkim import record_name, zone_line
from digest.services.envelopes import ascii_domain

# Hosts that relay for many, by the end of their name, and what SPF must include for them, as their own pages say.
RELAYS = {
    "amazonaws.com": "amazonses.com", "mtasv.net": "spf.mtasv.net", "postmarkapp.com": "spf.mtasv.net",
    "mailgun.org": "mailgun.org", "sendgrid.net": "sendgrid.net", "mailjet.com": "spf.mailjet.com",
    "brevo.com": "spf.brevo.com", "sparkpostmail.com": "sparkpostmail.com", "gmail.com": "_spf.google.com",
    "google.com": "_spf.google.com", "office365.com": "spf.protection.outlook.com",
    "outlook.com": "spf.protection.outlook.com", "messagingengine.com": "spf.messagingengine.com",
    "zoho.com": "zohomail.com", "yandex.ru": "_spf.yandex.net", "yandex.net": "_spf.yandex.net",
    "mail.ru": "_spf.mail.ru"}
MAX_TXT = 3  # records of others that are shown


@dataclass(frozen=True, slots=True)
class Sending:
    """Who sends: the domains of From addresses, the domain of return paths, what leaves from where, with which keys.

    `addresses` are those that mail leaves from, where it is we who deliver; `relay` is what SPF must include instead.
    """

    from_domains: tuple[str, ...]
    bounce_domain: str  # "" takes each From's own
    addresses: tuple[str, ...]
    relay: str
    mail_host: str  # that addresses should be called, and that takes bounces
    keys: tuple[Key, ...]
    waiting: tuple[Key, ...] = ()  # made, but not named in dkim.selectors
    dkim_domain: str = ""  # "" takes each From's own
    contact: str = ""  # who gets DMARC reports; "" is postmaster@ the domain

    @property
    def envelope_domains(self) -> tuple[str, ...]:
        return (self.bounce_domain,) if self.bounce_domain else self.from_domains


@dataclass(frozen=True, slots=True)
class Record:
    """One record: what stands in DNS now and what should. `state`: "ok", "missing", "wrong", "waiting" or "unknown"."""

    kind: str  # SPF, DKIM, DMARC, return path, PTR
    name: str
    state: str
    wanted: str  # a line of a zone file; "" where what is found is right
    found: tuple[str, ...]
    why: str = ""


class Silence:
    """A DNS in which nothing stands: what is wanted then is wanted in full."""

    def txt(self, name: str) -> tuple[str, ...]:
        return ()

    addresses = mx = names = txt


def relay_of(host: str) -> str:
    """What SPF must include where this server relays for many; "" where it is not known for that."""
    return next((include for end, include in RELAYS.items() if host == end or host.endswith(f".{end}")), "")


def domain_of(sender: str) -> str:
    """The domain of "Name <address>", in ASCII."""
    return ascii_domain(parseaddr(sender)[1]).rpartition("@")[2].lower()


def check(sending: Sending, lookup: Lookup) -> Iterator[Record]:
    """Every record, in the order in which they are set up. Never raises: where DNS does not answer it is "unknown"."""
    for kind, name, question in _questions(sending):
        try:
            yield question(lookup)
        except DnsFailure as failure:
            yield Record(kind, name, "unknown", question(Silence()).wanted, (), failure.reason)


def _questions(sending: Sending) -> Iterator[tuple[str, str, Callable[[Lookup], Record]]]:
    for domain in sending.envelope_domains:
        yield "SPF", domain, partial(_spf, sending, domain)
    for domain in [sending.dkim_domain] if sending.dkim_domain else sending.from_domains:
        for key in (*sending.keys, *sending.waiting):
            name = record_name(key.selector, domain)
            yield "DKIM", name, partial(_dkim, key, name, key in sending.waiting)
    for domain in sending.from_domains:
        yield "DMARC", f"_dmarc.{domain}", partial(_dmarc, sending, domain)
    for domain in sending.envelope_domains:
        yield "return path", domain, partial(_return_path, sending, domain)
    for address in sending.addresses:
        yield "PTR", address, partial(_ptr, sending, address)


def _spf(sending: Sending, domain: str, lookup: Lookup) -> Record:
    found = spf.records_of(lookup, domain)
    own = [f"ip{6 if ':' in address else 4}:{address}" for address in sending.addresses]
    terms = [f"include:{sending.relay}"] if sending.relay else own
    if len(found) > 1:
        merged = list(dict.fromkeys(term for text in found for term in text.split()[1:] if not term.endswith("all")))
        return Record("SPF", domain, "wrong", zone_line(domain, " ".join(["v=spf1", *merged, "~all"])), found,
                      "one record is allowed (RFC 7208 §4.5): merge them")
    if not terms:
        return Record("SPF", domain, "unknown", "", found, "it is not known where mail leaves from: give --ip")
    if not found:
        return Record("SPF", domain, "missing", zone_line(domain, " ".join(["v=spf1", *terms, "-all"])), ())
    failed = list(_lacking(sending, lookup, domain, found[0]))
    if not failed:
        return Record("SPF", domain, "ok", "", found)
    lacking = [term for term, _ in failed]
    first, _, rest = found[0].partition(" ")
    return Record("SPF", domain, "wrong", zone_line(domain, " ".join([first, *lacking, rest]).strip()), found,
                  "; ".join(dict.fromkeys(why for _, why in failed)))


def _lacking(sending: Sending, lookup: Lookup, domain: str, record: str) -> Iterator[tuple[str, str]]:
    """The terms that the record lacks, each with what a receiver would say without it."""
    if sending.relay:
        term = f"include:{sending.relay}"
        if term not in record.lower().replace("+include", "include").split():
            yield term, f"mail through {sending.mail_host} is not covered"
        return
    for address in sending.addresses:
        verdict = spf.evaluate(lookup, address, domain)
        if verdict.result != "pass":
            yield f"ip{6 if ':' in address else 4}:{address}", f"{address}: {verdict.result} ({verdict.why})"


def _dkim(key: Key, name: str, waiting: bool, lookup: Lookup) -> Record:
    wanted, found = key.record(), lookup.txt(name)
    if any(_tags(text).get("p") == _tags(wanted)["p"] for text in found):
        why = f'right: name it in dkim.selectors, as "{key.selector}"' if waiting else ""
        return Record("DKIM", name, "waiting" if waiting else "ok", "", found, why)
    state = "waiting" if waiting else "wrong" if found else "missing"
    return Record("DKIM", name, state, zone_line(name, wanted), found[:MAX_TXT],
                  "another key stands there" if found else "")


def _dmarc(sending: Sending, domain: str, lookup: Lookup) -> Record:
    organisation = host_of(f"https://{domain}").name
    name = f"_dmarc.{domain}"
    found: tuple[str, ...] = ()
    for place in dict.fromkeys((name, f"_dmarc.{organisation}")):
        found = tuple(text for text in lookup.txt(place) if text.lower().startswith("v=dmarc1"))
        if found:
            break
    contact = sending.contact or f"postmaster@{organisation}"
    wanted = zone_line(name, f"v=DMARC1; p=none; rua=mailto:{contact}")
    if not found:
        return Record("DMARC", name, "missing", wanted, (), "begin with p=none; p=quarantine once the reports are good")
    if len(found) > 1 or "p" not in _tags(found[0]):
        return Record("DMARC", name, "wrong", wanted, found, "one record with a policy (p=) is allowed")
    tags = _tags(found[0])
    vouching = [_aligned("return paths", sending.bounce_domain or domain, domain, tags.get("aspf", "r"))]
    if sending.keys:
        vouching.append(_aligned("signatures", sending.dkim_domain or domain, domain, tags.get("adkim", "r")))
    return Record("DMARC", name, "ok" if "" in vouching else "wrong", "", found, "; ".join(filter(None, vouching)))


def _aligned(what: str, other: str, domain: str, mode: str) -> str:
    """Why these do not vouch for the From's domain; "" where they do. One of both must (RFC 7489 §3.1)."""
    strict = mode.lower() == "s"
    if other == domain or (not strict and host_of(f"https://{other}") == host_of(f"https://{domain}")):
        return ""
    return f"{what} of {other} do not count for {domain}{', which asks for the very domain' if strict else ''}"


def _return_path(sending: Sending, domain: str, lookup: Lookup) -> Record:
    hosts = lookup.mx(domain)
    kind = "return path"
    if not hosts:
        host = sending.mail_host or f"mail.{domain}"
        return Record(kind, domain, "missing", f"{domain}. IN MX 10 {host}.", (), "bounces cannot come back")
    lost = [host for host in hosts if not lookup.addresses(host)]
    found = tuple(f"MX {host}" for host in hosts)
    return Record(kind, domain, "wrong" if lost else "ok", "", found,
                  f"{', '.join(lost)}: no address" if lost else "")


def _ptr(sending: Sending, address: str, lookup: Lookup) -> Record:
    names = lookup.names(address)
    confirmed = [name for name in names if address in lookup.addresses(name)]
    if confirmed:
        return Record("PTR", address, "ok", "", names)
    wanted = f"{_reverse(address)} IN PTR {sending.mail_host or 'mail.' + sending.from_domains[0]}."
    why = f"{', '.join(names)} does not lead back to {address}" if names else "many servers refuse mail without it"
    return Record("PTR", address, "wrong" if names else "missing", wanted, names, f"{why}; set by who owns the address")


def _reverse(address: str) -> str:
    return f"{ipaddress.ip_address(address).reverse_pointer}."


def _tags(text: str) -> dict[str, str]:
    """The tags of a DKIM or DMARC record; white space inside a value is dropped."""
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): re.sub(r"\s", "", value) for name, _, value in pairs}
