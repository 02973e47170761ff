"""Names into addresses: the system's resolver in threads of its own, and names that are mapped on purpose."""

import asyncio
import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult

THREADS = 16  # of our own: a resolver that hangs must not hold up what else runs in threads


class MappedResolver(AbstractResolver):
    """The system's resolver, but for names that are mapped to a loopback address and port.

    A key of `mapped` is a host name, or "*.suffix" for all names under it.
    """

    def __init__(self, mapped: Mapping[str, tuple[str, int]]):
        self._mapped = mapped
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="digest-dns")

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET,
                      ) -> list[ResolveResult]:
        """The addresses of a name, in the system's order of preference. Raises OSError (socket.gaierror)."""
        target = self._target(host.lower())
        if target is not None:
            kind = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
            return [_result(host, kind, target[0], target[1])]
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, family, socket.SOCK_STREAM,
                                                      flags=socket.AI_ADDRCONFIG))
        return [_result(host, kind, str(address[0]), int(address[1]))
                for kind, _, _, _, address in found if kind in (socket.AF_INET, socket.AF_INET6)]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _target(self, host: str) -> tuple[str, int] | None:
        if host in self._mapped:
            return self._mapped[host]
        while "." in host:
            host = host.partition(".")[2]
            if f"*.{host}" in self._mapped:
                return self._mapped[f"*.{host}"]
        return None


def _result(name: str, family: int, address: str, port: int) -> ResolveResult:
    return ResolveResult(hostname=name, host=address, port=port, family=family, proto=socket.IPPROTO_TCP,
                         flags=socket.AI_NUMERICHOST)
