"""Bounces and complaints that providers post: proved, read and counted."""

import asyncio
import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from sqlalchemy import Connection, Engine

from digest.errors import AddressRefused, FetchError, NotFound, WebhookRefused
from digest.mail import sns, webhooks
from digest.mail.failures import Failure
from digest.model import Bounce
from digest.ports import Clock, Fetcher, FetchRequest
from digest.services import bounces
from digest.services.addresses import normalise_address
from digest.services.returns import described
from digest.settings import Settings, WebhookSettings
from digest.storage import bounces as storage

MAX_BYTES = 1024 * 1024  # of one request
MAX_CERTIFICATES = 8  # kept; SNS changes them about once a year

log = structlog.get_logger(__name__)


class Webhooks:
    """Takes in what the providers of the settings post. `fetcher` makes what fetches the certificates of SNS."""

    def __init__(self, engine: Engine, settings: Settings, clock: Clock, fetcher: Callable[[], Fetcher]):
        self._engine, self._settings, self._clock, self._fetcher = engine, settings, clock, fetcher
        self._certificates: OrderedDict[str, bytes] = OrderedDict()

    async def receive(self, name: str, headers: Mapping[str, str], body: bytes) -> int:
        """Takes in one request and returns how many bounces were new. Idempotent: the same event counts once.

        `headers` has names in lower case. Raises NotFound for an unknown provider, WebhookRefused where the request
        is not proved to be the provider's or cannot be read.
        """
        provider = self._settings.bounces.webhooks.get(name)
        if provider is None:
            raise NotFound("webhook", name[:60])
        if provider.verify != "sns":
            webhooks.check(provider, headers, body, self._clock.now())
        document: Any = _json(body)
        if provider.verify == "sns":
            document = await self._unwrapped(document, provider)
        new = await asyncio.to_thread(self._store, name, webhooks.failures(document, provider))
        log.info("webhook", provider=name, new=new)
        return new

    async def _unwrapped(self, message: Any, provider: WebhookSettings) -> Any:
        """What SNS brings; {} where it only asks whether we want it, which is answered once it is proved."""
        if not isinstance(message, dict):
            raise WebhookRefused("is no message of SNS", 400)
        url = sns.certificate_url(message)
        if url not in self._certificates:
            self._certificates[url] = await self._fetch(url)
            while len(self._certificates) > MAX_CERTIFICATES:
                self._certificates.popitem(last=False)
        kind = sns.check(message, self._certificates[url], topic=provider.topic, now=self._clock.now())
        if kind == sns.NOTIFICATION:
            return _json(str(message.get("Message")).encode())
        await self._fetch(str(message.get("SubscribeURL")))
        log.info("subscribed to SNS", topic=provider.topic)
        return {}

    async def _fetch(self, url: str) -> bytes:
        """What SNS itself answers; a redirect to elsewhere is refused, as is an address of our own network."""
        if not sns.is_of_sns(url):
            raise WebhookRefused("the address is not of SNS", 401)
        fetcher = self._fetcher()
        try:
            response = await fetcher.fetch(FetchRequest(url))
        except FetchError as error:
            raise WebhookRefused(f"SNS cannot be asked: {error}", 503) from error
        finally:
            await fetcher.close()
        if not sns.is_of_sns(response.url):
            raise WebhookRefused("the address leads away from SNS", 401)
        return response.body

    def _store(self, name: str, found: list[tuple[Any, Failure]]) -> int:
        with self._engine.begin() as conn:
            return sum(self._note(conn, name, event, failure) for event, failure in found)

    def _note(self, conn: Connection, name: str, event: Any, failure: Failure) -> bool:
        """Whether a bounce was new; one of an address that we never mailed is left alone."""
        try:
            target = normalise_address(failure.recipient or "")
        except AddressRefused:
            return False
        if not storage.is_ours(conn, target):
            return False
        text = json.dumps([name, target, event], sort_keys=True, ensure_ascii=False)
        digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
        return bounces.note(conn, digest, Bounce(
            self._clock.now(), f"webhook:{name}", failure.kind, failure.reason, target, None, failure.code,
            failure.enhanced, described(failure, target)))


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WebhookRefused("is no JSON", 400) from error
