"""Process settings: config/digest.toml of the instance, environment (DIGEST_SECTION__KEY) and secret files.

Read once at start and never stored in the database. What readers see is in the configuration documents
(`digest.documents`), not here.
"""

import os
import tomllib
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from digest.errors import ConfigError
from digest.mistakes import find_line, toml_error, validation_error

MAIN_SERVER = "main"  # the SMTP server that [smtp] itself names


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SiteSettings(Section):
    name: str = "Region Digest"
    url: str = ""  # public address of the web pages, without a trailing slash; "" until set
    postal_address: str = ""  # stands in every mail
    language: Literal["en", "ru", "kk", "uz", "ky", "tg"] = "en"  # of pages and alerts that belong to no newsletter

    @field_validator("url")
    @classmethod
    def _no_trailing_slash(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")


class ServerSettings(Section):
    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    proxies: tuple[str, ...] = ("127.0.0.1", "::1")  # addresses or networks whose X-Forwarded-For is believed

    @field_validator("proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for entry in value:
            ip_network(entry)
        return value


class SignUpSettings(Section):
    """What a visitor's forms may do: limits that keep others from being flooded with our mail."""

    mails_per_address: int = Field(5, ge=1)  # asked for by visitors, to one address within 24 hours
    posts_per_network: int = Field(20, ge=1)  # from one network (IPv4 /24, IPv6 /56) within an hour
    international: bool = True  # take addresses whose part before the @ is not ASCII; the server needs SMTPUTF8
    allow_domains: tuple[str, ...] = ()  # never throw-away
    refuse_domains: tuple[str, ...] = ()  # beside the throw-away ones

    @field_validator("allow_domains", "refuse_domains")
    @classmethod
    def _lower(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(domain.lower().encode("idna").decode("ascii") for domain in value)


class AlertsSettings(Section):
    """What visitors may do with alerts."""

    open: bool = False  # the page /alerts/new lets anybody make a rule for an address that confirms it
    rules_per_address: int = Field(10, ge=1, le=1000)  # most rules that one address may have by that page


class DatabaseSettings(Section):
    url: str = ""  # SQLAlchemy URL; "" is SQLite in var/digest.sqlite3


class Limits(Section):
    """The most that one taker of mail gets; 0 is no limit. Rates hold in any second, minute and hour, not per clock."""

    connections: int = Field(0, ge=0, le=100)  # mails in flight at a time
    per_second: int = Field(0, ge=0)
    per_minute: int = Field(0, ge=0)
    per_hour: int = Field(0, ge=0)


class SmtpServer(Limits):
    host: str = ""
    port: int = Field(587, ge=1, le=65535)
    username: str = ""
    password: SecretStr = SecretStr("")
    tls: Literal["starttls", "tls", "none"] = "starttls"
    tls_verify: bool = True
    tls_ca_file: str = ""  # PEM of authorities trusted besides the system's
    timeout_seconds: float = Field(30.0, gt=0)  # for each answer but the last
    data_timeout_seconds: float = Field(600.0, gt=0)  # for the answer to a whole mail (RFC 5321 §4.5.3.2.6)
    pipelining: bool = True  # where the server offers it (RFC 2920)
    priority: int = 1  # lower ones are asked first
    connections: int = Field(4, ge=1, le=100)


class SmtpSettings(SmtpServer):
    """One server, or several by name in `servers`; no host anywhere writes mail to var/outbox/."""

    servers: dict[str, SmtpServer] = {}
    domains: dict[str, Limits] = {}  # by recipients' domain; "*" is for each that is not named

    @field_validator("servers")
    @classmethod
    def _with_hosts(cls, value: dict[str, SmtpServer]) -> dict[str, SmtpServer]:
        for name, server in value.items():
            if not server.host:
                raise ValueError(f"server {name!r} has no host")
            if name == MAIN_SERVER:
                raise ValueError(f"{name!r} is the name of the server in [smtp] itself")
        return value

    @property
    def by_name(self) -> dict[str, SmtpServer]:
        """All servers with a host, in the order in which they are asked; that of [smtp] itself is "main"."""
        named = {**({MAIN_SERVER: self} if self.host else {}), **self.servers}
        return dict(sorted(named.items(), key=lambda item: item[1].priority))


class MailSettings(Section):
    sender: str = ""  # From of everything that a newsletter does not set; "" uses news@ the site's host
    mailto: str = ""  # address that takes unsubscribe mail; "" uses unsubscribe@ the sender's domain
    owner: str = ""  # address of the people behind the newsletters, in List-Owner and List-Help; "" is the sender's
    bounce_domain: str = ""  # return paths are addresses at this domain, one for each mail; "" is the sender's address
    bounce_user: str = Field("b", pattern=r"^[a-z0-9._-]{1,20}$")  # what stands before the "+" of a return path
    operator: str = ""  # address that gets the daily note on feeds in trouble; "" sends none
    outbox: str = "var/outbox"  # folder for mail without an SMTP server, below the instance

    @field_validator("bounce_domain")
    @classmethod
    def _ascii_domain(cls, value: str) -> str:
        return value.lower().encode("idna").decode("ascii")


class DkimSettings(Section):
    domain: str = ""  # that signs; "" is the domain of each mail's From
    selectors: tuple[str, ...] = ()  # of the keys in var/dkim/ that sign every mail; () signs nothing

    @field_validator("domain")
    @classmethod
    def _ascii_domain(cls, value: str) -> str:
        return value.lower().encode("idna").decode("ascii")


class WebhookSettings(Section):
    """One provider that posts bounces as JSON. Paths are names joined with dots; "" is the document itself."""

    verify: Literal["hmac", "secret", "sns"]
    secret: SecretStr = SecretStr("")  # HMAC key, or what the header must hold
    header: str = "X-Signature"  # that holds the signature or the secret
    timestamp_header: str = "X-Timestamp"  # seconds since 1970; the HMAC is of "TIMESTAMP.BODY"
    topic: str = ""  # ARN, for sns
    events: str = ""  # path of the list of events
    recipients: tuple[str, ...] = ()  # paths of the list of recipients in an event; () where the event names one
    type: str = "type"  # path of the event's kind
    types: dict[str, Literal["bounce", "complaint"]]  # others are left alone
    address: str = "email"  # path in a recipient, as are the next two
    status: str = ""  # RFC 3463
    text: str = ""  # the server's reply

    @model_validator(mode="after")
    def _verifiable(self) -> Self:
        if self.verify == "sns" and not self.topic:
            raise ValueError("sns needs the topic's ARN")
        if self.verify != "sns" and len(self.secret.get_secret_value()) < 16:
            raise ValueError("needs a secret of 16 characters or more")
        return self


class BouncesSettings(Section):
    lmtp: str = ""  # "127.0.0.1:PORT" or "unix:PATH" to listen on; "" does not
    webhooks: dict[str, WebhookSettings] = {}  # by the name in /webhooks/NAME

    @field_validator("lmtp")
    @classmethod
    def _local(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if value and host != "unix" and not (port.isdecimal() and ip_address(host.strip("[]")).is_loopback):
            raise ValueError('must be "unix:PATH" or a loopback address with a port: LMTP knows no log-in')
        return value


class ImapSettings(Section):
    """A mailbox in which bounces and unsubscribe mail arrive."""

    host: str = ""  # "" reads none
    port: int = Field(993, ge=1, le=65535)
    username: str = ""
    password: SecretStr = SecretStr("")
    tls: Literal["starttls", "tls", "none"] = "tls"
    tls_ca_file: str = ""  # PEM of authorities trusted besides the system's
    folder: str = "INBOX"
    minutes: int = Field(5, ge=1, le=1440)  # between two looks
    delete: bool = False  # what was understood; other mail stays in any case


class PollingSettings(Section):
    interval_minutes: int = Field(30, ge=5, le=1440)  # of a feed whose rhythm is not known
    shortest_interval_minutes: int = Field(10, ge=5, le=1440)  # of a feed that brings much
    host_gap_seconds: float = Field(1.0, ge=0, le=60)  # between two requests to one publisher
    run_seconds: float = Field(120.0, gt=0)  # after so long a poll run begins no further feed
    concurrency: int = Field(16, ge=1, le=64)
    timeout_seconds: float = Field(30.0, gt=0)
    max_body_bytes: int = Field(10 * 1024 * 1024, ge=1024)
    parse_timeout_seconds: float = Field(5.0, gt=0)
    parse_workers: int = Field(2, ge=1, le=16)
    article_seconds: float = Field(60.0, ge=0, le=240)  # of a poll, for the pages of new items; nothing waits longer
    article_pages: int = Field(100, ge=0, le=1000)  # of new items in a poll; 0 fetches none
    user_agent: str = "RegionDigest/{version} (+{site})"
    allow: tuple[str, ...] = ()  # CIDR[:port] that the address guard lets through, for intranets

    @field_validator("allow")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for entry in value:
            parse_allowed(entry)
        return value


class Settings(BaseSettings):
    """All process settings. The environment wins over secret files, these over digest.toml."""

    model_config = SettingsConfigDict(env_prefix="DIGEST_", env_nested_delimiter="__", extra="ignore", frozen=True)

    site: SiteSettings = SiteSettings()
    server: ServerSettings = ServerSettings()
    sign_up: SignUpSettings = SignUpSettings()
    alerts: AlertsSettings = AlertsSettings()
    database: DatabaseSettings = DatabaseSettings()
    smtp: SmtpSettings = SmtpSettings()
    mail: MailSettings = MailSettings()
    dkim: DkimSettings = DkimSettings()
    bounces: BouncesSettings = BouncesSettings()
    imap: ImapSettings = ImapSettings()
    polling: PollingSettings = PollingSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        files = NestedSecretsSettingsSource(file_secret_settings, secrets_nested_delimiter="__")
        return env_settings, files, init_settings


@dataclass(frozen=True, slots=True)
class Instance:
    """The folder of one installation: config/, templates/ (overrides) and var/ (what the program writes)."""

    root: Path
    outbox_folder: str = "var/outbox"  # below root; mail.outbox of the settings

    @classmethod
    def locate(cls, option: str | None) -> "Instance":
        """`--instance DIR`, else $DIGEST_HOME, else the working directory."""
        return cls(Path(option or os.environ.get("DIGEST_HOME") or ".").resolve())

    @property
    def config(self) -> Path:
        return self.root / "config"

    @property
    def templates(self) -> Path:
        return self.root / "templates"

    @property
    def var(self) -> Path:
        return self.root / "var"

    @property
    def dkim(self) -> Path:
        return self.var / "dkim"

    @property
    def outbox(self) -> Path:
        return self.root / self.outbox_folder

    def database_url(self, settings: Settings) -> str:
        return settings.database.url or f"sqlite:///{self.var / 'digest.sqlite3'}"


def parse_allowed(entry: str) -> tuple[IPv4Network | IPv6Network, int | None]:
    """The network and port of "CIDR" or "CIDR:port"; an IPv6 CIDR with a port stands in brackets."""
    if entry.startswith("["):
        network, _, port = entry[1:].partition("]:")
        return ip_network(network.rstrip("]")), int(port) if port else None
    network, _, port = entry.partition(":") if entry.count(":") == 1 else (entry, "", "")
    return ip_network(network), int(port) if port else None


def load_settings(instance: Instance) -> Settings:
    """Settings of an instance; defaults where it has no digest.toml. Raises ConfigError with file and line."""
    path = instance.config / "digest.toml"
    values: dict[str, Any] = {}
    text = ""
    if path.exists():
        text = path.read_text(encoding="utf-8")
        try:
            values = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise toml_error(str(path), text, error) from error
    unknown = sorted(set(values) - set(Settings.model_fields))
    if unknown:
        raise ConfigError(str(path), "unknown section", line=find_line(text, (unknown[0],)), key=unknown[0],
                          hint=f"known: {', '.join(Settings.model_fields)}")
    secrets = Path("/run/secrets")
    try:
        return Settings(**values, _secrets_dir=secrets if secrets.is_dir() else None)
    except ValidationError as error:
        raise validation_error(str(path), text, error) from error
