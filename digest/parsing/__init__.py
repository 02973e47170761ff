"""Feed parsing in worker processes that can be killed: a hostile document costs seconds, not the service.

- `pool`: who does which document, for the service's event loop;
- `worker`: one process, seen from the service;
- `serving`: the life of such a process;
- `messages`: what the two say to each other;
- `preload`: what all of them share.
"""

from digest.parsing.pool import ParserPool

__all__ = ["ParserPool"]
