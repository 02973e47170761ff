"""A name server on loopback that knows a few records, for what asks DNS in tests and checks."""

import ipaddress
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from socketserver import TCPServer, UDPServer
from threading import Thread

from dnslib import AAAA, MX, PTR, QTYPE, RCODE, RR, TXT, A, DNSRecord
from dnslib.server import BaseResolver, DNSHandler, DNSLogger, DNSServer

POLL_SECONDS = 0.01  # how soon a server ends when asked to
PORTS_TRIED = 20
Zone = Mapping[str, list[str]]  # name -> 'TXT v=spf1 -all', 'A 203.0.113.5', 'MX mail.example.org', 'PTR host', 'FAIL'


class _Resolver(BaseResolver):  # type: ignore[misc]
    def __init__(self, zone: Zone):
        self._zone = {name.rstrip(".").lower(): records for name, records in zone.items()}

    def resolve(self, request: DNSRecord, handler: DNSHandler) -> DNSRecord:
        reply = request.reply()
        records = self._zone.get(str(request.q.qname).rstrip(".").lower())
        if records is None:
            reply.header.rcode = RCODE.NXDOMAIN
        for record in records or ():
            kind, _, value = record.partition(" ")
            if kind == "FAIL":
                reply.header.rcode = RCODE.SERVFAIL
            elif kind == QTYPE[request.q.qtype]:
                reply.add_answer(RR(request.q.qname, request.q.qtype, rdata=_data(kind, value), ttl=60))
        return reply


@contextmanager
def name_server(zone: Zone) -> Iterator[int]:
    """The port, over UDP and TCP, of a server that answers from `zone` while the context is open."""
    udp, tcp = _servers(_Resolver(zone))
    threads = [Thread(target=server.serve_forever, args=(POLL_SECONDS,)) for server in (udp, tcp)]
    for thread in threads:
        thread.start()
    try:
        yield udp.socket.getsockname()[1]
    finally:
        for server in (udp, tcp):
            server.shutdown()
            server.server_close()
        for thread in threads:
            thread.join()


def _servers(resolver: BaseResolver) -> tuple[UDPServer, TCPServer]:
    """A server over UDP and one over TCP on one port, which both find free."""
    logger = DNSLogger("-request,-reply,-truncated,-error,-recv,-send,-data")
    for _ in range(PORTS_TRIED):
        udp = DNSServer(resolver, address="127.0.0.1", port=0, logger=logger).server
        try:
            return udp, DNSServer(
                resolver, address="127.0.0.1", port=udp.socket.getsockname()[1], logger=logger, tcp=True).server
        except OSError:  # another program has that port over TCP
            udp.server_close()
    raise OSError("no port is free over UDP and TCP")


def reverse(address: str) -> str:
    """The name under which DNS holds the PTR record of an address."""
    return ipaddress.ip_address(address).reverse_pointer


def _data(kind: str, value: str) -> object:
    if kind == "TXT":
        return TXT([value[at : at + 250] for at in range(0, len(value), 250)])
    if kind == "MX":
        return MX(value, 10)
    return {"A": A, "AAAA": AAAA, "PTR": PTR}[kind](value)
