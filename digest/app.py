"""Composition root: settings → storage, fetcher, parser, mailer, clock. The only place that builds adapters."""

import os
import secrets
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path

from sqlalchemy import Engine

from digest import __version__
from digest.alert_rules import CHAT, WEBHOOK
from digest.documents import Configuration, read_configuration
from digest.fetch.archive import Archive, ArchiveFetcher, read_archive
from digest.fetch.http import HttpFetcher
from digest.mail.dkim import Key
from digest.mail.outbox import OutboxMailer
from digest.mail.pool import SmtpMailer
from digest.notify.channels import Channels
from digest.notify.chat import Chats
from digest.notify.webhook import Webhooks, secret_in_words
from digest.parsing import ParserPool
from digest.ports import Clock, Fetcher, Mailer, Notifier
from digest.resources import template_texts
from digest.services import config as config_service
from digest.services.alerts import AlertEngine
from digest.services.cycle import Cycle
from digest.services.deliveries import SendReport, send_due
from digest.services.dkim import load_keys
from digest.services.holders import Holders
from digest.services.intake import Intake
from digest.services.rates import StoredRates
from digest.services.replay import SimulatedClock, documents_of, write_documents
from digest.services.stories import StoryClusterer
from digest.settings import Instance, Settings, load_settings
from digest.storage.engine import open_engine
from digest.storage.migrate import migrate
from digest.tokens import Signer


class SystemClock:
    """The wall clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class App:
    """An opened instance.

    `resolve` maps host names (or "*.suffix") to loopback addresses, for the demo. `holder` names it in leases.
    """

    instance: Instance
    settings: Settings
    engine: Engine
    clock: Clock
    configuration: Configuration
    resolve: dict[str, tuple[str, int]] = field(default_factory=dict)
    holder: str = field(default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}")

    def fetcher(self) -> Fetcher:
        return HttpFetcher(self.settings.polling, user_agent=self._user_agent(), resolve=self.resolve)

    def parser(self) -> ParserPool:
        polling = self.settings.polling
        return ParserPool(polling.parse_workers, polling.parse_timeout_seconds)

    def mailer(self) -> Mailer:
        """The SMTP servers of digest.toml; without one, a folder of .eml files."""
        if self.settings.smtp.by_name:
            return SmtpMailer(self.settings.smtp, StoredRates(self.engine, self.clock))
        return OutboxMailer(self.instance.outbox)

    def notifier(self) -> Notifier:
        """What takes alerts to channels that are no mail."""
        allow = self.settings.polling.allow
        return Channels({WEBHOOK: Webhooks(allow, self.clock, self.webhook_secret, self._user_agent()),
                         CHAT: Chats(allow)})

    def webhook_secret(self, address: str) -> str:
        """What signs the bundles that go to an address; its owner is shown it once."""
        return secret_in_words(self.signer().secret_for(WEBHOOK, address))

    def holders(self) -> Holders:
        """Who sends from this instance, on this machine."""
        return Holders(self.instance.var / "holders")

    def intake(self) -> Intake:
        """What takes in mail that comes back; listens and looks only while it is run."""
        return Intake(self.engine, self.settings, self.signer(), self.clock, self.holder)

    def signer(self) -> Signer:
        return Signer(secret_key(self.instance))

    @asynccontextmanager
    async def cycle(self) -> AsyncIterator[Cycle]:
        """What turns the wheel from poll to alerts, with a fetcher and parser of its own while the context is open."""
        fetcher, parser = self.fetcher(), self.parser()
        try:
            clusterer = StoryClusterer(self.engine, lambda: self.configuration.names)
            yield Cycle(self.engine, fetcher, parser, clusterer, self.clock, self.settings,
                        partial(template_texts, self.instance.templates), self.holder, AlertEngine(self.engine))
        finally:
            await fetcher.close()
            await parser.close()

    async def send_due(self, *, subject: str | None = None) -> SendReport:
        """Sends what is due (of one subject), with a mailer of its own."""
        mailer, notifier = self.mailer(), self.notifier()
        try:
            return await send_due(self.engine, mailer, self.clock, settings=self.settings, signer=self.signer(),
                                  holder=self.holder, holders=self.holders(), keys=self.dkim_keys, subject=subject,
                                  notifier=notifier)
        finally:
            await mailer.close()
            await notifier.close()

    @cached_property
    def dkim_keys(self) -> tuple[Key, ...]:
        """The keys that sign each mail, read once. Raises ConfigError where one is missing."""
        return load_keys(self.instance.dkim, self.settings.dkim.selectors)

    @property
    def zone(self) -> str:
        """The zone of times that belong to no newsletter: the first newsletter's."""
        return next((newsletter.zone for newsletter in self.configuration.newsletters.values()), "UTC")

    def refresh_configuration(self) -> Configuration:
        """Imports changed documents and returns the configuration in force; wrong ones are logged, not imported."""
        self.configuration = config_service.keep_or_sync(self.engine, self.instance, self.clock.now(),
                                                         self.configuration)
        return self.configuration

    def _user_agent(self) -> str:
        site = self.settings.site.url or "https://example.org/region-digest"
        return self.settings.polling.user_agent.format(version=__version__, site=site)


@contextmanager
def open_app(
    instance_option: str | None, *, clock: Clock | None = None, settings: Settings | None = None, keep: bool = False
) -> Iterator[App]:
    """An instance with its database at the newest schema and its configuration in force.

    Raises ConfigError where a setting or document is wrong; with `keep` (for what must not stop), wrong documents
    are logged and the version before them stays in force, if there is one. `settings` replaces those of the instance.
    """
    instance = Instance.locate(instance_option)
    settings = settings or load_settings(instance)
    instance = replace(instance, outbox_folder=settings.mail.outbox)
    engine = open_engine(instance.database_url(settings))
    clock = clock or SystemClock()
    try:
        migrate(engine)
        sync = config_service.sync_or_last if keep else config_service.sync
        configuration = sync(engine, instance, clock.now())
        config_service.renew_owners(engine, configuration, clock.now())
        yield App(instance, settings, engine, clock, configuration)
    finally:
        engine.dispose()


@dataclass
class ArchiveApp(App):
    """An instance whose feeds are the outlets of a recorded archive; its clock is set by the replay."""

    clock: SimulatedClock
    archive: Archive = field(kw_only=True)

    def fetcher(self) -> Fetcher:
        return ArchiveFetcher(self.archive, self.clock)

    def parser(self) -> ParserPool:
        """One process: few documents come at a time, and a second one costs memory and gains no time."""
        return ParserPool(1, self.settings.polling.parse_timeout_seconds)


@contextmanager
def open_archive(instance_option: str | None, folder: Path, newsletter_file: Path | None,
                 alerts_file: Path | None = None) -> Iterator[ArchiveApp]:
    """A throw-away instance over the archive in `folder`, with the settings of the instance but none of its data.

    `alerts_file` holds alert rules, as a document of config/alerts/ does.

    Raises ArchiveError, ConfigError or NotFound where the archive or a document is wrong.
    """
    origin = Instance.locate(instance_option)
    settings = load_settings(origin)
    archive = read_archive(folder)
    files = config_service.read_files(origin)
    gazetteer = {path: text for path, text in files.items() if path.startswith("gazetteer/")}
    known = read_configuration(files, config_service.packaged_gazetteer())
    documents = documents_of(archive, known, newsletter_file)
    if alerts_file is not None:
        documents[f"alerts/{alerts_file.stem}.toml"] = alerts_file.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="digest-replay-") as root:
        instance = Instance(Path(root))
        write_documents(instance.config, {**gazetteer, **documents})
        engine = open_engine(f"sqlite:///{instance.var / 'replay.sqlite3'}")
        try:
            migrate(engine)
            configuration = config_service.sync(engine, instance, archive.first)
            clock = SimulatedClock(archive.first)
            yield ArchiveApp(instance, settings, engine, clock, configuration, archive=archive)
        finally:
            engine.dispose()


def secret_key(instance: Instance) -> bytes:
    """The 32 bytes that sign links; made at first use, readable by the owner alone. Safe in two processes."""
    path = instance.var / "secret.key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".secret.")  # mode 0600
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
        with suppress(FileExistsError):
            os.link(name, path)
        os.unlink(name)
    return path.read_bytes()
