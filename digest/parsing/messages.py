"""What the service and its parsers say to each other through a socket: pickled values, each after its length."""

import asyncio
import pickle
import struct
from typing import Any, BinaryIO

_LENGTH = struct.Struct("!Q")


def packed(value: Any) -> bytes:
    """A value as it goes through the socket. Raises what pickle raises for one that cannot."""
    content = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(content)) + content


def read(stream: BinaryIO) -> Any:
    """The next value. Raises EOFError where the other end has closed, and OSError."""
    content = _exactly(stream, _LENGTH.unpack(_exactly(stream, _LENGTH.size))[0])
    return pickle.loads(content)


async def receive(reader: asyncio.StreamReader) -> Any:
    """As `read`, without holding up the event loop."""
    length = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))[0]
    return pickle.loads(await reader.readexactly(length))


def _exactly(stream: BinaryIO, length: int) -> bytes:
    found = stream.read(length)
    if len(found) < length:
        raise EOFError
    return found
