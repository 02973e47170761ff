"""`digest doctor`: what is wrong with an instance's set-up, before its readers find out. Changes nothing."""

import shutil
import socket
import zoneinfo
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import metadata
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Engine

from digest.documents import Configuration
from digest.doubts import find_doubts
from digest.errors import ConfigError, DeliveryError, DnsFailure, SendRefused
from digest.mail.dns import Lookup
from digest.mail.server import Server
from digest.services import config
from digest.services.deliveries import check_may_send
from digest.services.dkim import known_keys, load_keys
from digest.services.envelopes import default_sender
from digest.services.sender_records import Sending, domain_of, relay_of
from digest.settings import Instance, Settings, SmtpServer
from digest.storage import health
from digest.storage.engine import read_only

CLOCK_TOLERANCE = timedelta(seconds=5)
OLD_ZONES_YEARS = 1  # governments announce changes some months before: data of the year before last will miss one
LITTLE_DISK_BYTES = 500 * 1024 * 1024
SHOWN_OFFERS = frozenset({"PIPELINING", "SIZE", "SMTPUTF8", "8BITMIME"})


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `state`: "ok", "warning" or "fault"; `advice` says what to do."""

    what: str
    state: str
    said: str
    advice: str = ""


def documents(instance: Instance) -> Iterator[Check]:
    """Settings and documents: every mistake, then every doubt."""
    mistakes, configuration = config.check(instance)
    yield from (Check("configuration", "fault", str(mistake), "digest check says more") for mistake in mistakes)
    if configuration is None:
        return
    yield from (Check("configuration", "warning", f"config/{doubt}") for doubt in find_doubts(configuration))
    counts = f"{len(configuration.newsletters)} newsletters, {len(configuration.feeds)} feeds"
    yield Check("configuration", "ok" if configuration.newsletters else "warning", counts,
                "" if configuration.newsletters else "digest init makes a newsletter")


def database(url: str, folder: Path) -> Iterator[Check]:
    """Whether the database answers and can be written; `folder` is where a SQLite file stands by default."""
    found = health.look(url)
    if found.trouble:
        yield Check("database", "fault", f"{found.place}: {found.trouble}", "see [database] in digest.toml")
        return
    yield Check("database", "ok", f"{found.dialect} {found.version}, schema {found.schema}: {found.place}")
    free = shutil.disk_usage(folder).free if folder.is_dir() else LITTLE_DISK_BYTES
    if free < LITTLE_DISK_BYTES:
        yield Check("database", "warning", f"{free // 2**20} MB are left on the disk of {folder}", "make room")


def clock(engine: Engine, now: datetime) -> Check:
    """Whether the clock may be right: not behind what was written already, and with the database's server."""
    with read_only(engine) as conn:
        newest, server = health.newest_instant(conn), health.server_time(conn)
    said = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    advice = "set the clock by NTP: send times and lease times hang on it"
    if newest is not None and newest > now + CLOCK_TOLERANCE:
        return Check("clock", "fault", f"{said}, but the database holds {newest:%Y-%m-%d %H:%M:%S}", advice)
    if server is not None and abs(server - now) > CLOCK_TOLERANCE:
        return Check("clock", "fault", f"{said}, but the database's server has {server:%Y-%m-%d %H:%M:%S}", advice)
    return Check("clock", "ok", said)


def zones(configuration: Configuration, now: datetime) -> Iterator[Check]:
    """Whether the time zone data knows the newsletters' zones, and how old it is."""
    names = sorted({newsletter.zone for newsletter in configuration.newsletters.values()})
    version = zone_version()
    unknown = [name for name in names if not _zone_known(name)]
    if unknown:
        yield Check("time zones", "fault", f"no data for {', '.join(unknown)}", "install the package tzdata")
    elif version[:4].isdecimal() and now.year - int(version[:4]) > OLD_ZONES_YEARS:
        yield Check("time zones", "warning", f"their data is of {version}", "update tzdata: clocks have changed since")
    else:
        now_there = ", ".join(f"{name} {now.astimezone(zoneinfo.ZoneInfo(name)):%H:%M %z}" for name in names)
        yield Check("time zones", "ok", f"data of {version}; {now_there or 'no newsletter'}")


def zone_version() -> str:
    """The version of the zone data in use, such as "2026a": the system's, else the package's; "unknown"."""
    for folder in map(Path, zoneinfo.TZPATH):
        if folder.is_dir() and (folder / "UTC").exists():
            for name in ("tzdata.zi", "+VERSION"):
                if (folder / name).exists():
                    with (folder / name).open(encoding="utf-8") as file:
                        return file.readline().removeprefix("# version").strip()
            return "unknown"
    release = metadata.version("tzdata").split(".")
    return f"{release[0]}{chr(ord('a') + int(release[1]) - 1)}" if release[1].isdecimal() else ".".join(release)


def permission(settings: Settings) -> Check:
    """Whether mail may leave at all."""
    try:
        check_may_send(settings)
    except SendRefused as error:
        return Check("sending", "fault", error.reason, error.hint)
    if not settings.smtp.by_name:
        return Check("sending", "warning", f"no SMTP server is set: mail is written to {settings.mail.outbox}",
                     "set [smtp] in digest.toml")
    return Check("sending", "ok", f"as {settings.mail.sender or 'news@ the host of site.url'}")


def dkim_keys(instance: Instance, settings: Settings) -> Check:
    """Whether the keys that sign are there."""
    try:
        keys = load_keys(instance.dkim, settings.dkim.selectors)
    except ConfigError as error:
        return Check("DKIM keys", "fault", str(error))
    if not keys:
        return Check("DKIM keys", "warning", "mail is not signed here",
                     "unless your SMTP server signs: digest dkim new, then dkim.selectors")
    return Check("DKIM keys", "ok", ", ".join(f"{key.selector} ({key.algorithm})" for key in keys))


async def mail_servers(settings: Settings) -> list[Check]:
    """Each SMTP server: connected to, TLS checked, logged in; no mail is sent."""
    return [await _mail_server(name, server) for name, server in settings.smtp.by_name.items()]


def sending(instance: Instance, settings: Settings, configuration: Configuration, lookup: Lookup,
            addresses: Iterable[str] = ()) -> Sending | None:
    """Who sends, as far as it is known here; None where From's domain is not set.

    `addresses` are those that mail leaves from, if the operator names them: else those of the SMTP server, or of this
    machine or site where that is on this machine.
    """
    senders = {newsletter.sender for newsletter in configuration.newsletters.values() if newsletter.sender}
    domains = sorted({domain_of(sender) for sender in (*senders, default_sender(settings, ""))})
    domains = [domain for domain in domains if "." in domain]
    if not domains:
        return None
    host = next((server.host for server in settings.smtp.by_name.values()), "")
    site = urlsplit(settings.site.url).hostname or ""
    mail_host = site if not host or _is_local(host) else host
    relay = relay_of(mail_host.lower())
    signing = load_keys(instance.dkim, settings.dkim.selectors)
    waiting = tuple(key for key in known_keys(instance.dkim) if key.selector not in settings.dkim.selectors)
    found = tuple(addresses) or (() if relay else _addresses(lookup, mail_host, own=mail_host == site))
    return Sending(
        tuple(domains), settings.mail.bounce_domain, found, "" if tuple(addresses) else relay,
        mail_host, signing, waiting, settings.dkim.domain, settings.mail.owner)


async def _mail_server(name: str, settings: SmtpServer) -> Check:
    server = Server(name, settings)
    what = f"SMTP server {name}"
    try:
        session, _ = await server.lend(settings.host)
        offers = ", ".join(sorted(SHOWN_OFFERS & session.offers.keys())) or "no extensions"
        server.give_back(session)
    except DeliveryError as error:
        return Check(what, "fault", str(error), "see [smtp] in digest.toml; is its port open from here?")
    except (OSError, ValueError) as error:
        return Check(what, "fault", f"{settings.host}:{settings.port}: {error}", "see [smtp] in digest.toml")
    finally:
        await server.close()
    login = f"logged in as {settings.username}" if settings.username else "no log-in is set"
    checked = "encrypted" if settings.tls_verify else "encrypted, its certificate not checked"
    secure = "not encrypted" if settings.tls == "none" else checked
    return Check(what, "ok", f"{settings.host}:{settings.port}, {secure}, {login}; offers {offers}")


def _addresses(lookup: Lookup, host: str, *, own: bool) -> tuple[str, ...]:
    """The public addresses of a host; of this machine too where it is its own."""
    try:
        named = lookup.addresses(host) if host else ()
    except DnsFailure:
        named = ()
    found = [*(_outgoing() if own else ()), *named]
    return tuple(dict.fromkeys(address for address in found if ip_address(address).is_global))


def _outgoing() -> Iterator[str]:
    """The address that this machine speaks from, where it has one: asked of the kernel, nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            yield str(probe.getsockname()[0])
        except OSError:
            return


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_private
    except ValueError:
        return host.lower() in {"localhost", "localhost.localdomain"} or "." not in host


def _zone_known(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return False
    return True
