"""Targets of channels as people may see them: an address often is the key to what it names."""

from urllib.parse import urlsplit

from digest.alert_rules import FEED, MAIL, WEBHOOK


def shown(kind: str, target: str) -> str:
    """The target without what would let others use it: of a webhook the server, of a chat service its kind."""
    if kind == MAIL:
        return target
    if kind == FEED:
        return "feed …" + target[-4:]
    parts = urlsplit(target)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…" if kind == WEBHOOK else f"{parts.scheme}://…"
