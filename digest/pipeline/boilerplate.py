"""What a document repeats from entry to entry, and so is not news: site names in titles, mottoes before summaries.

Learned per document: a head or tail that at least 60 % of at least five entries share. A false match costs a few
words that most entries of the document begin or end with anyway.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

MIN_ENTRIES = 5
SHARE = 0.6
HEAD_WORDS = 4  # words that must agree before more is compared
STOPS = (".", "!", "?", "…", ":", "|", "»", ")", "]")  # a motto ends with one, or begins after one

REMEMBERED = 1_000  # titles: those of one document are looked at twice

_TAIL = re.compile(r"(?:\s+[-–—|•»:/·]+)+\s+(?P<tail>[^-–—|•»]{2,60})$")
_SEPARATED = re.compile(r"[-–—|•»:/·]\s")  # what _TAIL needs
_HEAD = re.compile(r"^(?P<head>[^-–—|•:»]{2,40})(?:\s[-–—|•»]|:)\s+")
_FIRST_POSTED = re.compile(
    r"\s*(?:The post|Сообщение|Запись|Жазба)\s(?:(?!The post ).){1,400}?"
    r"(?:appeared first on|появились? сначала на|впервые появил[аио]сь? на|first appeared on).{0,120}$", re.DOTALL)
_MORE = re.compile(
    r"(?i)\s*[\[(]?(?:read more|continue reading|read the full story|read full article|читать далее|читать полностью|"
    r"подробнее|толығырақ|батафсил|кененирээк|link to this post!?)[\])]?[\s.…»>→]*(?:at [^.]{2,40})?$")
MORE = ("read", "link to", "читать", "подробнее", "толығырақ", "батафсил", "кененирээк")  # what _MORE needs
MORE_LENGTH = 120  # characters at the end of a text in which _MORE can match
ELLIPSES = ("…", "...", "&hellip;", "]")  # what _ELLIPSIS ends with
# Labels for screen readers that feeds carry along: "Video,Title, Duration 8,31". Prose has a space after its comma.
_MEDIUM = re.compile(r"(?i)(?:видео|аудио|video|audio|бейне)(?P<comma>,\s?)(?=\S)")
_DURATION = re.compile(r",\s[^\W\d_]{4,20}:?\s\d{1,3}(?:[,:.]\d{2}){1,2}$")
_BULLET = re.compile(r"^(?:[•·▪◦‣●■▶►➤➡→]\ufe0f?\s*)+(?=\S)")
_ELLIPSIS = re.compile(r"\s*\[?(?:…|\.\.\.|&hellip;)\]?$")


@dataclass(frozen=True, slots=True)
class Boilerplate:
    """Heads and tails to remove; () where a document repeats nothing."""

    title_heads: tuple[str, ...] = ()
    title_tails: tuple[str, ...] = ()
    summary_head: tuple[str, ...] = ()  # words
    summary_tail: tuple[str, ...] = ()  # words


def learn(titles: Sequence[str], summaries: Sequence[str], names: Iterable[str] = ()) -> Boilerplate:
    """What the titles and summaries of one document share. `names` (feed, source) are tails of titles anyway."""
    tails = _common(titles, lambda title: _group(_tail(title), "tail"))
    heads = _common(titles, lambda title: _group(_HEAD.search(title), "head"))
    known = tuple(name for name in names if name)
    filled = [summary for summary in summaries if summary]
    needed = max(MIN_ENTRIES, SHARE * len(summaries))
    return Boilerplate(
        title_heads=heads,
        title_tails=tuple(dict.fromkeys((*tails, *known))),
        summary_head=_shared_head(filled, needed),
        summary_tail=_shared_tail(filled, needed),
    )


def clean_title(title: str, known: Boilerplate) -> str:
    """A title without the site's name and labels of media; as it was where nothing else would be left."""
    short = _without_labels(title)
    for _ in range(2):
        found = _tail(short)
        if not found or not _is_one_of(found.group("tail"), known.title_tails):
            break
        short = short[: found.start()].rstrip(" -–—|•»:")
    found = _HEAD.search(short) if known.title_heads else None
    if found and _is_one_of(found.group("head"), known.title_heads):
        short = short[found.end():]
    return short or title


@lru_cache(REMEMBERED)
def _tail(title: str) -> re.Match[str] | None:
    return _TAIL.search(title) if _SEPARATED.search(title) else None


def without_bullet(text: str) -> str:
    """A paragraph without the sign of a list before it; a dash stays, for speech begins with one."""
    return _BULLET.sub("", text)


def _without_labels(title: str) -> str:
    """A title without the medium before it and the duration after it; either alone may be the title's own."""
    medium, duration = _MEDIUM.match(title), _DURATION.search(title)
    if not medium or not (duration or medium["comma"] == ","):
        return title
    return title[medium.end(): duration.start() if duration else None].strip()


def clean_summary(text: str, title: str, known: Boilerplate) -> str:
    """A paragraph or summary on one line, without what its document repeats and "The post … appeared first on …"."""
    if known.summary_head or known.summary_tail:
        text = _without_ends(text.split(), known.summary_head, known.summary_tail)
    if "The post" in text or (not text.isascii() and ("Сообщение" in text or "Запись" in text or "Жазба" in text)):
        text = _FIRST_POSTED.sub("", text)
        head, post, rest = text.rpartition("The post ")
        if post and len(rest) > 2 and (title.startswith(rest[:30]) or (len(title) > 7 and rest.startswith(title[:30]))):
            text = head  # the feed cut it off before "appeared first on"
    end = text[-MORE_LENGTH:]
    folded = end.lower()
    has_more = "read" in folded or "link to" in folded or (not end.isascii() and any(word in folded for word in MORE))
    return (text[:-MORE_LENGTH] + _MORE.sub("", end) if has_more else text).strip()


def _without_ends(words: list[str], before: tuple[str, ...], after: tuple[str, ...]) -> str:
    if before and tuple(words[: len(before)]) == before:
        words = words[len(before):]
    if after and tuple(words[-len(after):]) == after:
        words = words[: -len(after)]
    return " ".join(words)


def ends_cut(text: str) -> str:
    """`text` with a trailing "[…]" or "..." as a plain ellipsis."""
    return text[:-20] + _ELLIPSIS.sub("…", text[-20:]) if text.endswith(ELLIPSES) else text


def _group(found: re.Match[str] | None, name: str) -> str | None:
    return found.group(name).strip() if found else None


def _common(titles: Sequence[str], part: Callable[[str], str | None]) -> tuple[str, ...]:
    if len(titles) < MIN_ENTRIES:
        return ()
    counts = Counter(found for title in titles if (found := part(title)))
    return tuple(text for text, count in counts.items() if count >= SHARE * len(titles))


def _shared_head(texts: Sequence[str], needed: float) -> tuple[str, ...]:
    """The first words, up to the end of a sentence, that at least `needed` texts share; () where under four."""
    shared, _ = _shared_run(texts, needed)
    while len(shared) >= HEAD_WORDS and not shared[-1].endswith(STOPS):
        shared = shared[:-1]
    return shared if len(shared) >= HEAD_WORDS else ()


def _shared_tail(texts: Sequence[str], needed: float) -> tuple[str, ...]:
    """The last words, from the beginning of a sentence, that at least `needed` texts share; () where under four."""
    shared, alike = _shared_run(texts, needed, backwards=True)
    while len(shared) >= HEAD_WORDS and not all(words[len(shared)].endswith(STOPS) for words in alike):
        shared = shared[:-1]
    return shared[::-1] if len(shared) >= HEAD_WORDS else ()


def _shared_run(texts: Sequence[str], needed: float, *,
                backwards: bool = False) -> tuple[tuple[str, ...], list[list[str]]]:
    """The longest run of first words that at least `needed` texts share, shorter than each; and those texts' words.

    `backwards`: of last words, the last of all first.
    """
    ends = [text.rsplit(None, HEAD_WORDS)[::-1] if backwards else text.split(None, HEAD_WORDS) for text in texts]
    counts = Counter(tuple(words[:HEAD_WORDS]) for words in ends if len(words) > HEAD_WORDS)
    head, count = counts.most_common(1)[0] if counts else ((), 0)
    if count < needed:
        return (), []
    alike = [text.split()[:: -1 if backwards else 1] for text, words in zip(texts, ends, strict=True)
             if tuple(words[:HEAD_WORDS]) == head]
    if len({tuple(words) for words in alike}) == 1:
        return (), []  # one text over and over is no motto
    agreeing = takewhile(lambda column: len(set(column)) == 1, zip(*alike, strict=False))
    shortest = min(len(words) for words in alike)
    return tuple(column[0] for column in agreeing)[: shortest - 1], alike


def _is_one_of(text: str, names: Iterable[str]) -> bool:
    folded = text.strip().casefold()
    return any(folded == name.casefold() for name in names)
