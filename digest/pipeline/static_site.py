"""Pages of the site as files that open without a server: where each address is filed, and links between the files.

Pure: text in, text out. An address ends in a slash where it is a folder's index, has a suffix where it is a file, and
is a page otherwise.
"""

import re
from collections.abc import Callable
from html import escape, unescape
from posixpath import dirname, relpath, splitext

_LINK = re.compile(r' (href|src|action)="([^"]*)"')
_STORY = re.compile(r'href="/stories/([0-9a-f]+)')


def file_of(address: str) -> str:
    """The file of an address: "/kazakhstan/" → "kazakhstan/index.html", "/stories/1a" → "stories/1a.html"."""
    path = address.lstrip("/")
    if not path or path.endswith("/"):
        return f"{path}index.html"
    return path if splitext(path)[1] else f"{path}.html"


def link_between(page: str, address: str) -> str:
    """The relative link from the page at one address to another address; a fragment is kept."""
    target, mark, fragment = address.partition("#")
    return relpath(file_of(target), dirname(file_of(page)) or ".") + mark + fragment


def offline(html: str, page: str, is_filed: Callable[[str], bool], site_url: str = "") -> str:
    """The page at `page` with links to our own addresses as links between files.

    What is not filed leads to `site_url`, or loses its link where there is none.
    """

    def filed(match: re.Match[str]) -> str:
        attribute, address = match[1], unescape(match[2])
        if not address.startswith("/") or address.startswith("//"):
            return match[0]
        if is_filed(re.split("[?#]", address, maxsplit=1)[0]) and "?" not in address:
            return f' {attribute}="{escape(link_between(page, address))}"'
        return f' {attribute}="{escape(site_url + address)}"' if site_url else ""

    return _LINK.sub(filed, html)


def stories_linked(html: str) -> list[str]:
    """The ids of the stories that a page links to, each once, in order."""
    return list(dict.fromkeys(_STORY.findall(html)))
