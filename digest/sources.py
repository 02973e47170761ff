"""Documents of config/sources/: publishers and the addresses that we poll, as typed values."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from digest.model import Access, ArticleText, BodyPolicy, Feed, Source, short_id

Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+([-_][a-z0-9]+)*$", max_length=60)]
LanguageTag = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]  # RFC 9110 §5.1
HeaderValue = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=4000)]


class Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FeedEntry(Document):
    """An address that is polled, and how; the names are those of `digest.model.Feed`."""

    url: str
    formerly: str | None = None  # the address it first had: the same feed, with its items
    region: str | None = None
    language: LanguageTag | None = None
    body: BodyPolicy = BodyPolicy.EXCERPT
    interval_minutes: int | None = Field(None, ge=1, le=1440)
    article_text: ArticleText = ArticleText.SHORT
    headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict)
    username: str = ""
    password: str = ""
    proxy: str = ""

    @field_validator("url", "formerly")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https", "archive"} or not parts.netloc:
            raise ValueError("must be an absolute http(s) address (or archive://OUTLET in a replay)")
        if parts.username or parts.password:
            raise ValueError("must have no name or password in it; give username and password beside it")
        return value

    @field_validator("proxy")
    @classmethod
    def _proxy(cls, value: str) -> str:
        if value and (urlsplit(value).scheme != "http" or not urlsplit(value).hostname):
            raise ValueError("must be an http://host:port address; no other kind of proxy is known")
        return value

    def of(self, source: Source) -> Feed:
        """The feed that the entry describes."""
        access = Access(tuple(self.headers.items()), self.username, self.password, self.proxy)
        return Feed(short_id(self.formerly or self.url), self.url, source, self.region, self.language, self.body,
                    self.interval_minutes, access, self.article_text)


class SourceEntry(Document):
    slug: Slug
    name: str
    family: Slug | None = None  # None: the source stands alone
    tier: float = Field(1.0, ge=0, le=3)
    feeds: tuple[FeedEntry, ...] = ()


class FamilyEntry(Document):
    """An owner: the domains of its sites, and the names under which its copies are credited."""

    slug: Slug
    name: str
    sites: tuple[Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")], ...] = ()
    agencies: tuple[str, ...] = ()


class SourcesDocument(Document):
    sources: tuple[SourceEntry, ...] = ()
    families: tuple[FamilyEntry, ...] = ()


def family_of_site(families: Iterable[FamilyEntry], url: str) -> str | None:
    """The family whose site the address is on, the one with the longest domain; None where no family says so."""
    host = urlsplit(url).hostname or ""
    found = [(len(site), family.slug) for family in families for site in family.sites
             if host == site or host.endswith(f".{site}")]
    return max(found)[1] if found else None


def with_owners(
    sources: Mapping[str, Source], feeds: Iterable[Feed], families: Iterable[FamilyEntry], languages: tuple[str, ...]
) -> tuple[dict[str, Source], tuple[Feed, ...]]:
    """Sources by slug with their families, and their feeds with the languages that items may be in.

    A family is as the document names it (not ""), else the owner of the source's first site that has one, else the
    source's own.
    """
    known, feeds = list(families), list(feeds)
    sites: dict[str, str] = {}
    for feed in feeds:
        if family := family_of_site(known, feed.url):
            sites.setdefault(feed.source.slug, family)
    owned = {slug: replace(one, family=one.family or sites.get(slug, slug)) for slug, one in sources.items()}
    return owned, tuple(replace(feed, source=owned[feed.source.slug], languages=languages) for feed in feeds)
