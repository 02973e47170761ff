"""What an operator wants to know of a feed before it is added: its rhythm, its dates, whose it may be."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.model import DateQuality, Feed, Item, Source
from digest.pipeline.hosts import host_of

SHORTEST_SPAN_HOURS = 1.0  # documents that were filled at one stroke say nothing of a rhythm


@dataclass(frozen=True, slots=True)
class Sample:
    """A feed's document as items. `per_day` is None where fewer than two items have a date, or all have one."""

    items: tuple[Item, ...]
    languages: Mapping[str, int]  # items by language, most first
    dates: Mapping[DateQuality, int]  # items by quality of their date
    newest_at: datetime | None
    per_day: float | None
    words: int  # median words of an item's text

    @property
    def date_words(self) -> str:
        """The quality of the dates in words: "all exact", or the counts."""
        if set(self.dates) == {DateQuality.EXACT}:
            return "all exact"
        return ", ".join(f"{count} {quality.value}" for quality, count in self.dates.items()) or "no items"


def sample(items: Sequence[Item]) -> Sample:
    """The sample that a document's items make."""
    dates = sorted(item.published_at for item in items if item.published_at)
    hours = (dates[-1] - dates[0]).total_seconds() / 3600 if dates else 0.0
    return Sample(
        items=tuple(items),
        languages=dict(Counter(item.language for item in items).most_common()),
        dates=dict(Counter(item.date_quality for item in items).most_common()),
        newest_at=dates[-1] if dates else None,
        per_day=(len(dates) - 1) / hours * 24 if hours >= SHORTEST_SPAN_HOURS else None,
        words=_median(len(_text(item).split()) for item in items))


def suspected_family(url: str, known: Iterable[Feed]) -> Source | None:
    """A known source that the address seems to be of: one on the same registrable domain; None where there is none."""
    name = host_of(url).name
    return next((feed.source for feed in known if host_of(feed.url).name == name), None)


def _text(item: Item) -> str:
    return max(item.summary, " ".join(block.text for block in item.body), key=len)


def _median(counts: Iterable[int]) -> int:
    ordered = sorted(counts)
    return ordered[len(ordered) // 2] if ordered else 0
