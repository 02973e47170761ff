"""Identity of an item inside its feed, and addresses that are equal but for noise.

The key of an entry is the first of these that tells it from its neighbours in the document:

1. its guid, unless several entries share it: then guid and link together;
2. its canonical link, unless entries with other titles share it (some feeds link every entry to the home page);
3. a hash of its title and the day it gives.
"""

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

from digest.model import short_id
from digest.pipeline.parse import Entry

REMEMBERED = 2_000  # addresses: those of one document are asked for several times
BLANKS = re.compile(r"[\x00-\x20]+")
# An address that stays as it is: absolute, without port, query and fragment.
PLAIN_ADDRESS = re.compile(r"https?://[a-z0-9](?:[a-z0-9-]*\.)+[a-z]+(?:/[A-Za-z0-9/%=@!$,'()*~+._-]*)?")
ABSOLUTE = re.compile(r"https?://[^/;?#][^;]*$")  # joined to whatever base it stays as it is
PLAIN_PATH = re.compile(r"[A-Za-z0-9/%:=&?~#+!$,;'@()*\[\]|._-]*")  # nothing in it needs to be quoted
TRACKING_PREFIXES = ("utm_", "at_", "ns_", "mtm_", "pk_", "hsa_", "mc_", "wt.", "guccounter", "guce_")
TRACKING = frozenset({
    "fbclid", "gclid", "dclid", "yclid", "msclkid", "igshid", "ysclid", "twclid", "partner", "cmpid", "cmp", "ito",
    "smid", "ocid", "xtor", "_openstat", "from_rss", "rss", "feature", "sref", "taid", "traffic_source", "src_rss",
})
TRACKING_VALUES = {  # names that are noise only with such a value
    "ref": re.compile(r"(?i)(rss|feed|e?mail|twitter|facebook)"),
    "source": re.compile(r"(?i)(rss|feed)"),
    "from": re.compile(r"(?i)(rss|feed)"),
    "emc": re.compile(r"(?i)(rss|feed|edit_tnt)"),
    "camp": re.compile(r"(?i).*rss"),
    "mod": re.compile(r"(?i)rss"),
    "f": re.compile(r"(?i)rss"),
}


@lru_cache(REMEMBERED)
def absolute_url(link: str, base: str) -> str:
    """`link` joined to `base`, with tracking parameters removed; "" unless the result is an http(s) address."""
    if PLAIN_ADDRESS.fullmatch(link):
        return link
    link = BLANKS.sub("" if "://" in link[:10] else " ", link.strip())
    if not link:
        return ""
    try:
        is_whole = ABSOLUTE.match(link) or not base.startswith(("http://", "https://"))
        parts = urlsplit(link if is_whole else urljoin(base, link))
        host = parts.hostname
        _ = parts.port  # raises ValueError where it is no number
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not host:
        return ""
    fragment = "" if _is_tracking_fragment(parts.fragment) else _quoted(parts.fragment)
    return urlunsplit((parts.scheme, parts.netloc, _quoted(parts.path), _clean_query(parts.query), fragment))


@lru_cache(REMEMBERED)
def canonical_url(url: str) -> str:
    """An address to compare: without scheme, "www.", trailing slash, fragment and tracking; "" for none.

    Never shown and never fetched.
    """
    if PLAIN_ADDRESS.fullmatch(url):
        host, slash, path = url.partition("://")[2].partition("/")
        return host.removeprefix("www.") + _without_slashes(slash + path)
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not host:
        return ""
    host = host.removeprefix("www.").rstrip(".")
    if port not in {None, 80, 443}:
        host = f"{host}:{port}"
    query = "&".join(sorted(part for part in _clean_query(parts.query).split("&") if part))
    return host + _without_slashes(parts.path) + (f"?{query}" if query else "")


def _without_slashes(path: str) -> str:
    """A path without the slashes that make no difference: doubled ones and those at its end."""
    return (re.sub(r"/{2,}", "/", path) if "//" in path else path).rstrip("/")


def keys(entries: Sequence[Entry], links: Sequence[str], days: Sequence[str]) -> list[str]:
    """The key of each entry, unique in the document unless two entries are equal in all that tells them apart.

    `links` are the entries' absolute addresses ("" for none) and `days` the days they give ("" for none).
    """
    guids = [_stable_guid(entry.guid) for entry in entries]
    uses = Counter(guids)
    if len(uses) == len(entries) and "" not in uses:
        return guids
    canonical = [canonical_url(link) for link in links]
    named = [normal_title(entry.title or entry.summary[:200]) for entry in entries]
    addresses = Counter(address for address, _ in set(zip(canonical, named, strict=True)))
    found = []
    for name, guid, address, day in zip(named, guids, canonical, days, strict=True):
        if guid and uses[guid] == 1:
            found.append(guid)
        elif guid and uses[guid] < len(entries) and address:
            found.append(f"{guid}|{address}")
        elif address and addresses[address] == 1:
            found.append(address)
        else:
            found.append("title:" + short_id(name, day))
    return found


def normal_title(title: str) -> str:
    """A title to compare: case-folded words without punctuation and markup."""
    return " ".join(re.findall(r"[^\W_]+", re.sub(r"<[^<>]{1,200}>", " ", title).casefold()))


def _stable_guid(guid: str) -> str:
    """A guid without what outlets change while the item stays: its scheme, and a revision such as "#2"."""
    if guid.startswith(("http://", "https://")):
        return re.sub(r"#\d{1,2}$", "", guid.partition("://")[2])[:1000]
    return guid[:1000]


def _quoted(text: str) -> str:
    """Percent-encodes what may not stand in an address; what is encoded already stays."""
    return text if PLAIN_PATH.fullmatch(text) else quote(text, safe="/%:=&?~#+!$,;'@()*[]|")


def _clean_query(query: str) -> str:
    if not query:
        return ""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=100)
    except ValueError:
        return query
    kept = [(name, value) for name, value in pairs if not _is_tracking(name.lower(), value)]
    if len(kept) == len(pairs):
        return quote(query, safe="/%:=&?~+!$,;'@()*[]|")
    return urlencode(kept)


def _is_tracking(name: str, value: str) -> bool:
    if name in TRACKING or name.startswith(TRACKING_PREFIXES):
        return True
    pattern = TRACKING_VALUES.get(name)
    return bool(pattern and pattern.match(value))


def _is_tracking_fragment(fragment: str) -> bool:
    return fragment.startswith(("utm_", "xtor=", "ref=", "rss", "at_")) or "utm_source" in fragment
