"""Documents of config/gazetteer/: regions with their place names, and names of people, places and bodies."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field, model_validator

from digest.errors import ConfigError
from digest.mistakes import find_line
from digest.sources import Document, LanguageTag, Slug
from digest.text.names import Kind, Name
from digest.text.tokens import words

Spelling = Annotated[str, Field(min_length=2, max_length=100)]


class Region(Document):
    """A place with a parent; `places` are names in any language that say an item is of it, beside its own."""

    name: str
    named: bool = True  # whether its own name says so too: not "World", for the sake of the World Bank
    parent: str | None = None
    places: tuple[str, ...] = ()
    names: dict[LanguageTag, str] = Field(default_factory=dict)  # its name in interface languages other than English


class NameEntry(Document):
    """A person, place or body; every other key is a language and lists the spellings in it, best known first."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[LanguageTag, tuple[Spelling, ...]] = Field(init=False)

    slug: Slug
    kind: Kind
    region: str | None = None  # one of the gazetteer's

    @model_validator(mode="after")
    def _is_spelled(self) -> "NameEntry":
        if not any(self.__pydantic_extra__.values()):
            raise ValueError('has no spelling; give en = ["..."], ru = ["..."] or another language')
        return self

    def named(self) -> Name:
        """The name that the entry describes."""
        return Name(self.slug, self.kind, dict(self.__pydantic_extra__), self.region)


class GazetteerDocument(Document):
    regions: tuple[Region, ...] = ()
    names: tuple[NameEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class PlacedName:
    """A name, and which entry of which document it is."""

    name: Name
    path: str
    index: int

    def mistake(self, message: str, texts: Mapping[str, str], *keys: str | int, hint: str = "") -> ConfigError:
        """A mistake at `keys` of the entry; `texts` are the documents by path."""
        place = ("names", self.index, *keys)
        return ConfigError(self.path, message, line=find_line(texts[self.path], place), key=".".join(map(str, place)),
                           hint=hint)


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """Regions by name. A name that is not listed is a region without parent and places."""

    regions: Mapping[str, Region]

    def parent(self, name: str) -> str | None:
        region = self.regions.get(name)
        return region.parent if region else None

    def name_in(self, name: str, language: str) -> str:
        """The region's name in an interface language; the given name where it has none."""
        region = self.regions.get(name)
        return region.names.get(language, name) if region else name

    def inside(self, name: str, outer: str) -> bool:
        """Whether `name` is `outer` or lies in it."""
        seen: set[str] = set()
        current: str | None = name
        while current is not None and current not in seen:
            if current == outer:
                return True
            seen.add(current)
            current = self.parent(current)
        return False


def check_names(names: Iterable[PlacedName], regions: Mapping[str, Region], texts: Mapping[str, str]) -> None:
    """Raises ConfigError for a name of an unknown region and for a spelling that two names share.

    A shared spelling would be found as either of them, so it needs what tells them apart (a first name), or goes.
    """
    known: dict[tuple[str, ...], PlacedName] = {}
    for placed in names:
        name = placed.name
        if name.region is not None and name.region not in regions:
            raise placed.mistake(f"unknown region {name.region!r}", texts, "region",
                                 hint="name one of config/gazetteer/, or leave it out")
        for language, spellings in name.spellings.items():
            for number, spelling in enumerate(spellings):
                other = known.setdefault(tuple(words(spelling, language)), placed)
                if other is not placed:
                    raise placed.mistake(f"{spelling!r} is a spelling of {other.name.slug!r} too", texts, language,
                                         number, hint="leave out what does not tell the two apart")
