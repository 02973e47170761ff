"""Many rules on one text: which of them match, without asking each of them.

    words of the text ─▶ rules filed under one of them ─▶ those whose other words stand there too ─▶ `match` of the rest

Each alternative of a rule is filed under the rarest thing that it cannot do without: a word, the beginning of a word,
two words in a row, or any of several such. What needs none of these is asked of every text. What words and pairs of
words decide is decided by them; for NEAR, SENT, fields and the like `match.find` has the last word, so that the
results are those of asking `match` of each rule.

How a word is found depends on the text's language: rules are filed once for each language that comes along, those of
exact words alone once for all languages that fold words alike.
"""

from collections.abc import Hashable, Iterable
from typing import Any, Generic, NamedTuple, TypeVar

from digest.garbage import collector_paused
from digest.query.match import Span, find, match
from digest.query.terms import folding_of
from digest.query.texts import MatchText
from digest.query.tree import And, Name, Or, Phrase, Prefix, Query, Word, inner
from digest.query.triggers import Group, Needs, Trigger, Triggers

Key = TypeVar("Key", bound=Hashable)
WORD_COST = 1000  # rules under two words in a row that cost as much as one under a word: it stands in more texts


class RuleIndex(Generic[Key]):
    """Rules by key, kept as they are added and removed."""

    def __init__(self) -> None:
        self._rules: dict[Key, Query] = {}
        self._shelves: dict[tuple[str, bool], _Shelf] = {}  # by language and whether for exact words alone

    def __len__(self) -> int:
        return len(self._rules)

    def add(self, key: Key, query: Query) -> None:
        """Adds a rule; one of the same key is replaced."""
        self.remove(key)
        self._rules[key] = query
        plain = _is_plain(query)
        for (_, is_for_plain), shelf in self._shelves.items():
            if is_for_plain == plain:
                shelf.add(key, query)

    def add_all(self, rules: Iterable[tuple[Key, Query]]) -> None:
        """Adds many rules; where they are read as they come, in less time than one by one."""
        with collector_paused():
            for key, query in rules:
                self.add(key, query)

    def remove(self, key: Key) -> None:
        """Removes a rule; nothing where there is none of this key."""
        if key in self._rules:
            query = self._rules.pop(key)
            for shelf in self._shelves.values():
                shelf.remove(key, query)

    def matching(self, text: MatchText) -> list[tuple[Key, tuple[Span, ...]]]:
        """The rules that match a text, each with what `match` gives for it, in no order."""
        return [(key, match(self._rules[key], text) or ()) for key in self.keys_matching(text)]

    def keys_matching(self, text: MatchText) -> set[Key]:
        """The keys of the rules that match a text."""
        found: set[Key] = set()
        for shelf in self.prepare(text.language):
            shelf.collect(text, found)
        return found

    def prepare(self, language: str) -> "tuple[_Shelf, _Shelf]":
        """Files the rules for texts of a language, once, so that the first of them need not wait."""
        return self._shelf(folding_of(language), True), self._shelf(language, False)

    def _shelf(self, language: str, plain: bool) -> "_Shelf":
        shelf = self._shelves.get((language, plain))
        if shelf is None:
            shelf = self._shelves[language, plain] = _Shelf(language, plain=plain)
            with collector_paused():
                for key, query in self._rules.items():
                    if _is_plain(query) == plain:
                        shelf.add(key, query)
        return shelf


class _Open(NamedTuple):
    """A rule that a text with its trigger matches where it also has all of `required`, none of `banned`, one of each of
    `groups`, and `rest`, if there is any, matches.
    """

    key: Any
    required: Group
    banned: Group
    groups: tuple[Group, ...]
    rest: Query | None


class _Shelf:
    """The rules filed for the texts of one language. What stands in a bin and is no `_Open` is the key of a rule that
    its trigger settles.
    """

    def __init__(self, language: str, *, plain: bool) -> None:
        self._triggers = Triggers(language, plain=plain)
        self._bins: dict[Trigger, list[Any]] = {}
        self._always: dict[Any, Query] = {}

    def add(self, key: Any, query: Query) -> None:
        for branch in query.parts if isinstance(query, Or) else (query,):
            needs = self._triggers.needs(branch)
            if needs.groups:
                self._file(key, needs)
            else:
                self._always[key] = query

    def _file(self, key: Any, needs: Needs) -> None:
        """Files an alternative under the group that the fewest rules stand under; of equals the first."""
        groups, banned, rest = needs
        chosen = groups[0] if len(groups) == 1 else min(groups, key=self._cost)
        entry = key
        if len(groups) > 1 or banned or rest:
            required = tuple([group[0] for group in groups if len(group) == 1 and group is not chosen])
            wider = tuple([group for group in groups if len(group) > 1 and group is not chosen])
            entry = _Open(key, required, banned, wider, rest)
        bins = self._bins
        for trigger in chosen:
            if trigger in bins:
                bins[trigger].append(entry)
            else:
                bins[trigger] = [entry]

    def _cost(self, group: Group) -> int:
        bins = self._bins
        cost = 0
        for trigger in group:
            cost += len(bins.get(trigger, ())) + (0 if type(trigger) is tuple else WORD_COST)
        return cost

    def remove(self, key: Any, query: Query) -> None:
        self._always.pop(key, None)
        for branch in query.parts if isinstance(query, Or) else (query,):
            for trigger in {trigger for group in self._triggers.needs(branch).groups for trigger in group}:
                kept = [entry for entry in self._bins.get(trigger, ()) if _key(entry) != key]
                if kept:
                    self._bins[trigger] = kept
                else:
                    self._bins.pop(trigger, None)

    def collect(self, text: MatchText, found: set[Any]) -> None:
        """Adds the keys of the rules that match."""
        bins = self._bins
        if bins:
            triggers = self._triggers.of(text)
            for trigger in bins.keys() & triggers:
                for entry in bins[trigger]:
                    if type(entry) is not _Open:
                        found.add(entry)
                    elif entry.key not in found and _holds(entry, triggers) and (
                            entry.rest is None or find(entry.rest, text, None) is not None):
                        found.add(entry.key)
        found.update([key for key, query in self._always.items() if find(query, text, None) is not None])


def _holds(entry: _Open, triggers: set[Trigger]) -> bool:
    _, required, banned, groups, _ = entry
    return (triggers.issuperset(required) and triggers.isdisjoint(banned)
            and not (groups and any(map(triggers.isdisjoint, groups))))


def _key(entry: Any) -> Any:
    return entry.key if type(entry) is _Open else entry


def _is_plain(query: Query) -> bool:
    """Whether it finds the same in all languages that fold words alike."""
    kind = type(query)  # each rule is asked
    if kind is Word or kind is Phrase:
        return query.exact  # type: ignore[union-attr]
    if kind is And or kind is Or:
        return all(map(_is_plain, query.parts))  # type: ignore[union-attr]
    return isinstance(query, Prefix) or (not isinstance(query, Name) and all(map(_is_plain, inner(query))))
