"""Names of people, places and bodies in texts of any language and script.

The gazetteer gives each name its spellings by language. They are looked for in every text, whatever its language, for
outlets write foreign names in their own letters; a word of the text counts as inflected by the text's own language
(`inflection.forms`), so that «Токаеву», «Тоқаевтың» and "Toqayevga" are the one person.

A spelling that begins with a capital is found only where the text has one; one of capitals alone (КТЖ) only in
capitals, with any ending after them. One that begins small is found in both. Where the text is small or capitals
throughout, that tells nothing and is not asked, but of short acronyms. A name of one word is met in the singular alone
(«Рахмонов» is no form of «Рахмон»), and is a namesake's where the text has him in full.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from digest.text.inflection import SHORTEST, SHORTEST_OF_LATER, forms, keys
from digest.text.tokens import fold, tokens, word_pattern, written_words

Kind = Literal["person", "place", "body"]
KINDS: tuple[Kind, ...] = ("person", "place", "body")
MAX_WORDS = 200_000  # of one language that are remembered
SHORT_ACRONYM = 4  # letters to which an acronym may be a word too ("US", "ОТГ")
SHORT = 5  # letters to which a spelling is looked for in texts of its own language alone ("Чин" is China in Tajik)
READ_EVERYWHERE = frozenset({"en", "ru"})  # languages whose short spellings are looked for in all texts


@dataclass(frozen=True, slots=True)
class Name:
    """A person, place or body. `spellings` are by language (BCP 47 primary subtag), best known first."""

    slug: str
    kind: Kind
    spellings: Mapping[str, tuple[str, ...]]
    region: str | None = None  # of the gazetteer


class Mention(NamedTuple):
    """A name in a text: `text[start:end]` is how it was written."""

    slug: str
    start: int
    end: int


class Names:
    """The names of a gazetteer, indexed by language at first use."""

    def __init__(self, names: Iterable[Name] = ()) -> None:
        self._names = {name.slug: name for name in names}
        self._indexes: dict[str, _Index] = {}

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[Name]:
        return iter(self._names.values())

    def get(self, slug: str) -> Name | None:
        """The name with this slug; None where there is none."""
        return self._names.get(slug)

    def find(self, text: str, language: str) -> tuple[Mention, ...]:
        """The names in a text in order, without overlap: of those that begin at one word the longest."""
        if not self._names:
            return ()
        if language not in self._indexes:
            self._indexes[language] = _Index(self._names.values(), language)
        return self._indexes[language].find(text)


class _Spelling(NamedTuple):
    """One spelling as it is compared: for each word the keys of which a form of the text's word must be one."""

    words: tuple[frozenset[str], ...]
    slug: str
    capital: bool  # its first word begins with one
    acronym: str  # its capitals where it has nothing else, else ""


class _Index(dict[str, tuple[_Spelling, ...]]):
    """The spellings that a word of the text may begin, by the word as it is written; the longest first."""

    def __init__(self, names: Iterable[Name], language: str) -> None:
        super().__init__()
        self._language = language
        self._starts: dict[str, list[_Spelling]] = {}
        for name in names:
            for own, spellings in name.spellings.items():
                for spelling in spellings:
                    self._add(name.slug, spelling, own)
        self._dull: set[str] = set()  # words that begin no name

    def _add(self, slug: str, spelling: str, own: str) -> None:
        written = [token.word for token in tokens(spelling, self._language)]
        if not written:
            return
        letters = "".join(filter(str.isalnum, spelling))
        if len(letters) <= SHORT and own not in READ_EVERYWHERE and own != self._language:
            return
        acronym = letters if letters.isupper() and len(written) == 1 else ""
        entry = _Spelling(tuple(keys(word, own, self._language) for word in written), slug,
                          spelling.lstrip("«\"'“")[0].isupper(), acronym)
        for key in entry.words[0]:
            self._starts.setdefault(key, []).append(entry)

    def __missing__(self, written: str) -> tuple[_Spelling, ...]:
        if len(self) > MAX_WORDS:
            self.clear()
            self._dull.clear()
        found = {entry: None for form in self._forms(written) for entry in self._starts.get(form, ())
                 if len(entry.words) > 1 or not entry.words[0].isdisjoint(self._forms(written, singular=True))}
        self[written] = entries = tuple(sorted(found, key=lambda entry: -len(entry.words)))
        if not entries:
            self._dull.add(written)
        return entries

    def find(self, text: str) -> tuple[Mention, ...]:
        if self._dull.issuperset(written_words(text, self._language)):
            return ()
        spans = [match.span() for match in word_pattern(self._language).finditer(text)]
        written = [text[start:end] for start, end in spans]
        one_case = text.islower() or text.isupper()
        found: list[tuple[_Spelling, int, int]] = []
        first = 0
        while first < len(written):
            fit = next((entry for entry in self[written[first]] if self._fits(entry, written, first, one_case)), None)
            length = len(fit.words) if fit else 1
            if fit:
                found.append((fit, spans[first][0], spans[first + length - 1][1]))
            first += length
        whole = [entry for entry, _, _ in found if len(entry.words) > 1]
        return tuple([Mention(_namesake(entry, whole), start, end) for entry, start, end in found])

    def _fits(self, entry: _Spelling, written: list[str], first: int, one_case: bool) -> bool:
        word = written[first]
        if entry.acronym and (not one_case or len(entry.acronym) <= SHORT_ACRONYM):
            if one_case or not word.startswith(entry.acronym):
                return False
        elif entry.capital and not one_case and not word[0].isupper():
            return False
        following = written[first + 1:first + len(entry.words)]
        return len(following) == len(entry.words) - 1 and all(
            not keys_.isdisjoint(self._forms(word, shortest=SHORTEST_OF_LATER))
            for word, keys_ in zip(following, entry.words[1:], strict=True))

    def _forms(self, written: str, *, singular: bool = False, shortest: int = SHORTEST) -> tuple[str, ...]:
        """What a word of the text may be a form of; an acronym with its ending also without it (ҰҚК-нің, MDHga)."""
        found = forms(fold(written, self._language), self._language, singular=singular, shortest=shortest)
        capitals = written.rstrip("".join(filter(str.islower, written))) if written[:2].isupper() else written
        return found if capitals == written else (*found, forms(fold(capitals, self._language), self._language)[0])


def _namesake(entry: _Spelling, whole: Sequence[_Spelling]) -> str:
    """Whom one word means where the text tells a namesake of its usual bearer in full («Акылбек Жапаров … Жапаров»)."""
    if len(entry.words) > 1 or any(other.slug == entry.slug for other in whole):
        return entry.slug
    return next((other.slug for other in whole if not entry.words[0].isdisjoint(other.words[-1])), entry.slug)


NO_NAMES = Names()
