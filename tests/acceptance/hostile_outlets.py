"""Outlets that do everything a server should not, each under a host of its own, on loopback in a thread."""

import asyncio
import ssl
import threading
import zlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import brotli
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Talk = Callable[[asyncio.StreamWriter], Awaitable[None]]

GOOD = ('<rss version="2.0"><channel><title>Post</title><item><title>Мост открыт</title>'
        "<link>https://post.example/1</link><guid>1</guid></item></channel></rss>").encode()


def answer(body: bytes, status: str = "200 OK", *headers: str, length: int | None = None) -> Talk:
    """One whole answer; `length` lies about the body's."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body) if length is None else length}", "", ""]

    async def talk(writer: asyncio.StreamWriter) -> None:
        writer.write("\r\n".join(lines).encode() + body)

    return talk


def to(target: str, status: str = "302 Found") -> Talk:
    return answer(b"", status, f"Location: {target}")


def feed(inner: str = "", attributes: str = "") -> Talk:
    return answer(f'<rss version="2.0"{attributes}><channel><title>Post</title>{inner}</channel></rss>'.encode(),
                  "200 OK", "Content-Type: application/rss+xml")


def for_ever(first: bytes, more: bytes, seconds: float) -> Talk:
    """Begins with `first`, then sends `more` again and again."""

    async def talk(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            await writer.drain()
            writer.write(more)
            await asyncio.sleep(seconds)

    return talk


async def mute(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def slam(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


def packed(kind: str, body: bytes) -> Talk:
    return answer(body, "200 OK", f"Content-Encoding: {kind}", "Content-Type: text/xml")


def nulls_in_gzip(megabytes: int) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return b"".join(packer.compress(b"\0" * (1 << 20)) for _ in range(megabytes)) + packer.flush()


def nulls_in_brotli(megabytes: int) -> bytes:
    packer = brotli.Compressor(quality=1)
    return b"".join(packer.process(b"\0" * (1 << 20)) for _ in range(megabytes)) + packer.finish()


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
DOCTYPE = '<!DOCTYPE rss [<!ENTITY l0 "ha">{}]><rss version="2.0"><channel><title>&l9;</title></channel></rss>'

# host (of .example) -> (what it does, how a poll of it may end)
PLAIN: dict[str, tuple[Talk, set[str]]] = {
    "good": (answer(GOOD), {"undated"}),
    "drip": (for_ever(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n<rss>", b" ", 0.05), {"timeout"}),
    "drip-head": (for_ever(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x", 0.05), {"timeout"}),
    "mute": (mute, {"timeout"}),
    "slam": (slam, {"connect", "bad_answer"}),
    "endless": (for_ever(CHUNKED, b"10000\r\n" + b" " * 0x10000 + b"\r\n", 0), {"too_large"}),
    "endless-head": (for_ever(b"HTTP/1.1 200 OK\r\n", b"X-More: " + b"x" * 8000 + b"\r\n", 0), {"bad_answer"}),
    "long-header": (answer(GOOD, "200 OK", "X-Long: " + "x" * 100_000), {"bad_answer"}),
    "promised": (answer(b"<rss/>", length=10**12), {"too_large"}),
    "bomb-gzip": (packed("gzip", nulls_in_gzip(200)), {"too_large"}),
    "bomb-brotli": (packed("br", nulls_in_brotli(100)), {"too_large"}),
    "bomb-small": (packed("gzip", nulls_in_gzip(9)), {"too_large"}),  # below the cap of size, above that of ratio
    "bad-gzip": (packed("gzip", b"\x1f\x8b\x08\x00 no gzip at all"), {"incomplete"}),
    "not-gzip": (packed("gzip", GOOD), {"incomplete"}),
    "circle": (to("/circle"), {"redirects"}),
    "chain": (to("http://chain.example/feed?again"), {"redirects"}),
    "nowhere": (answer(b"", "301 Moved"), {"redirects"}),
    "to-script": (to("javascript:alert(1)"), {"bad_url"}),
    "to-file": (to("file:///etc/passwd"), {"bad_url"}),
    "to-loopback": (to("http://127.0.0.1:8080/"), {"blocked_address"}),
    "to-metadata": (to("http://169.254.169.254/latest/meta-data/"), {"blocked_address"}),
    "to-private": (to("http://10.0.0.1/"), {"blocked_address"}),
    "to-mapped": (to("http://[::ffff:127.0.0.1]/"), {"blocked_address", "connect"}),
    "to-decimal": (to("http://2130706433/"), {"blocked_address", "bad_url"}),
    "to-password": (to("http://me:secret@good.example/"), {"bad_url"}),
    "too-short": (answer(GOOD, length=len(GOOD) + 50), {"incomplete", "timeout"}),
    "too-long": (answer(GOOD, length=len(GOOD) - 20), {"undated", "malformed", "bad_answer"}),
    "two-lengths": (answer(GOOD, "200 OK", "Content-Length: 5"), {"bad_answer"}),
    "two-tags": (answer(GOOD, "200 OK", 'ETag: "1"', 'ETag: "2"', "Date: x", "Date: y"), {"undated"}),
    "lying-charset": (answer(GOOD, "200 OK", "Content-Type: text/xml; charset=utf-16"), {"undated"}),
    "odd-charset": (answer(GOOD, "200 OK", "Content-Type: text/xml; charset=../../x"), {"undated"}),
    "page": (answer(b"<!DOCTYPE html><html><body>Welcome</body></html>"), {"html_not_feed"}),
    "login": (answer(b"<html><form>Log in</form></html>", "200 OK", "Content-Type: application/rss+xml"),
              {"html_not_feed"}),
    "picture": (answer(b"\x89PNG" + b"\0" * 999, "200 OK", "Content-Type: image/png"), {"not_a_feed"}),
    "noise": (answer(bytes(range(256)) * 40), {"malformed", "not_a_feed"}),
    "nothing": (answer(b""), {"empty"}),
    "unasked-304": (answer(b"", "304 Not Modified"), {"bad_answer"}),
    "no-status": (for_ever(b"hello\r\n\r\n", b"", 60), {"bad_answer"}),
    "challenge": (answer(b"<html>", "403 Forbidden", "cf-mitigated: challenge"), {"cloudflare_challenge"}),
    "wait-for-ever": (answer(b"", "429 Slow Down", "Retry-After: 999999999"), {"http_429"}),
    "gone": (answer(b"", "410 Gone"), {"http_410"}),
    "laughs": (answer(DOCTYPE.format(LAUGHS).encode()), {"malformed"}),
    "outside": (answer(DOCTYPE.format('<!ENTITY l9 SYSTEM "file:///etc/passwd">').encode()), {"malformed"}),
    "attributes": (feed(attributes="".join(f' a{n}="{n}"' for n in range(100_000))), {"parse_timeout", "empty"}),
    "author": (feed(f"<item><title>t</title><author>{'a@' * 32_768}</author></item>"), {"undated"}),
    "unclosed": (answer(b'<rss version="2.0"><channel>' + b"<a>" * 500_000), {"parse_timeout", "malformed"}),
    "deep-json": (answer(b"[" * 900_000), {"malformed"}),
    "many": (feed("<item><title>t</title><guid>g</guid></item>" * 100_000), {"undated", "parse_timeout"}),
}
for _number in range(8):
    PLAIN["chain"] = (to(f"http://chain.example/feed?{_number}"), {"redirects"})
SECURE: dict[str, tuple[Talk, set[str]]] = {
    "trusted": (answer(GOOD), {"undated"}),
    "downgrade": (to("http://good.example/"), {"redirects"}),
    "self-signed": (answer(GOOD), {"tls"}),
    "expired": (answer(GOOD), {"tls"}),
    "wrong-name": (answer(GOOD), {"tls"}),
}


@dataclass(frozen=True, slots=True)
class Outlets:
    """Where the outlets are: address by host, and the authority that signed the good certificates."""

    resolve: dict[str, tuple[str, int]]
    authority: Path


@contextmanager
def serving(folder: Path) -> Iterator[Outlets]:
    """All outlets in a thread while the context is open; certificates are made in `folder`."""
    contexts = _contexts(folder)
    loop = asyncio.new_event_loop()
    ready, resolve = threading.Event(), {"plain-tls.example": ("", 0)}

    async def run() -> None:
        plain = await asyncio.start_server(_talker(PLAIN), "127.0.0.1", 0)
        servers.append(plain)
        resolve.update({f"{name}.example": _place(plain) for name in PLAIN})
        resolve["plain-tls.example"] = _place(plain)
        for name, context in contexts.items():
            secure = await asyncio.start_server(_talker(SECURE), "127.0.0.1", 0, ssl=context)
            servers.append(secure)
            resolve[f"{name}.example"] = _place(secure)
        ready.set()
        await asyncio.Event().wait()

    servers: list[asyncio.Server] = []

    def work() -> None:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        loop.run_until_complete(_drain(servers))
        loop.close()

    loop.set_exception_handler(lambda *_: None)  # what the poller breaks off is not the outlets' error
    task = loop.create_task(run())
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    ready.wait(20)
    try:
        yield Outlets(resolve, folder / "authority.pem")
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(20)


async def _drain(servers: list[asyncio.Server]) -> None:
    """Ends what is still open."""
    for server in servers:
        server.close()
    rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    await asyncio.sleep(0.05)  # transports close in the next turns of the loop


def _place(server: asyncio.Server) -> tuple[str, int]:
    address: tuple[str, int] = server.sockets[0].getsockname()[:2]
    return address


def _talker(hosts: dict[str, tuple[Talk, set[str]]],
            ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            name = head.partition("host: ")[2].partition(".example")[0]
            await hosts[name][0](writer)
            await writer.drain()
        except (asyncio.IncompleteReadError, OSError, KeyError):
            pass
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            writer.close()

    return talk


def _contexts(folder: Path) -> dict[str, ssl.SSLContext]:
    """A TLS context for each secure host, most of them wrong in one way."""
    authority = _Authority(folder)
    now = datetime.now(UTC)
    day = timedelta(days=1)
    return {
        "trusted": authority.context("trusted", now + day),
        "downgrade": authority.context("downgrade", now + day),
        "expired": authority.context("expired", now - day),
        "wrong-name": authority.context("elsewhere", now + day),
        "self-signed": _Authority(folder, "other").context("self-signed", now + day),
    }


class _Authority:
    """Signs certificates; its own is written to `folder`/NAME.pem."""

    def __init__(self, folder: Path, name: str = "authority"):
        self._folder, self._name = folder, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        until = datetime.now(UTC) + timedelta(days=2)
        own = self._signed(name, self._key, until, x509.BasicConstraints(ca=True, path_length=None))
        (folder / f"{name}.pem").write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def context(self, host: str, until: datetime) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(f"{host}.example")])
        path = self._folder / f"{host}-{self._name}.pem"
        path.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                              serialization.NoEncryption())
            + self._signed(host, key, until, names).public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _signed(self, name: str, key: ec.EllipticCurvePrivateKey, until: datetime,
                extension: x509.ExtensionType) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self._name)])
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
                .serial_number(x509.random_serial_number()).not_valid_before(until - timedelta(days=3))
                .not_valid_after(until).add_extension(extension, critical=False)
                .sign(self._key, hashes.SHA256()))
