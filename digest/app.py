"""Composition root: settings → storage, fetcher, parser, mailer, clock. The only place that builds adapters."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from sqlalchemy import Engine

from digest import __version__
from digest.documents import Configuration
from digest.fetch.http import HttpFetcher
from digest.mail.outbox import OutboxMailer
from digest.mail.sessions import SmtpMailer
from digest.parsing import ParserPool
from digest.ports import Clock, Fetcher, Mailer
from digest.services import config as config_service
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
    """An opened instance. `resolve` maps host names (or "*.suffix") to loopback addresses, for the demo."""

    instance: Instance
    settings: Settings
    engine: Engine
    clock: Clock
    configuration: Configuration
    resolve: dict[str, tuple[str, int]] = field(default_factory=dict)

    def fetcher(self) -> Fetcher:
        return HttpFetcher(self.settings.polling, user_agent=self._user_agent(), resolve=self.resolve)

    def parser(self) -> ParserPool:
        polling = self.settings.polling
        return ParserPool(polling.parse_workers, polling.parse_timeout_seconds)

    def mailer(self) -> Mailer:
        """The SMTP server of digest.toml; without one, a folder of .eml files."""
        if self.settings.smtp.host:
            return SmtpMailer(self.settings.smtp)
        return OutboxMailer(self.instance.outbox)

    def signer(self) -> Signer:
        return Signer(secret_key(self.instance))

    def refresh_configuration(self) -> Configuration:
        """Imports changed documents and returns the configuration in force."""
        self.configuration = config_service.sync(self.engine, self.instance, self.clock.now())
        return self.configuration

    def _user_agent(self) -> str:
        site = self.settings.site.url or "https://example.org/region-digest"
        return self.settings.polling.user_agent.format(version=__version__, site=site)


@contextmanager
def open_app(instance_option: str | None, *, clock: Clock | None = None) -> Iterator[App]:
    """An instance with its database at the newest schema and its configuration in force.

    Raises ConfigError where a setting or document is wrong and no earlier version is in force.
    """
    instance = Instance.locate(instance_option)
    settings = load_settings(instance)
    instance = replace(instance, outbox_folder=settings.mail.outbox)
    engine = open_engine(instance.database_url(settings))
    clock = clock or SystemClock()
    try:
        migrate(engine)
        configuration = config_service.sync(engine, instance, clock.now())
        yield App(instance, settings, engine, clock, configuration)
    finally:
        engine.dispose()


def secret_key(instance: Instance) -> bytes:
    """The 32 bytes that sign links; made at first use, readable by the owner alone."""
    path = instance.var / "secret.key"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(32))
    return path.read_bytes()
