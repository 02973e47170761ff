"""Excerpts: whole sentences of an item's text, as many as its place in the edition allows."""

from dataclasses import dataclass
from itertools import dropwhile, islice

from digest.model import BodyPolicy, Item
from digest.text.sentences import each_sentence
from digest.text.tokens import fold, word_pattern, words

ELLIPSIS = "…"
END_MARKS = ".!?…。"
CLOSERS = "\"'»”’)]"
SHOUTED_WORDS = 4
FIRST_WORDS = 8  # by which a text is known as the beginning of another
SUBHEAD_WORDS = 8  # a longer line without an end mark is taken for prose


@dataclass(frozen=True, slots=True)
class Length:
    """How long an excerpt may be."""

    sentences: int
    words: int


LEAD = Length(sentences=2, words=60)
OTHER = Length(sentences=1, words=40)
HEADLINE = Length(sentences=0, words=0)  # no text


def excerpt(item: Item, length: Length) -> str:
    """The item's first whole sentences within `length`.

    "" under policy headline, and where the text only repeats the title. A first sentence that is too long is cut
    at a word and ends with an ellipsis. Subheads are never part of it, nor a first line in capitals.
    """
    if item.feed.body is BodyPolicy.HEADLINE:
        return ""
    text = _without_title(_source_text(item), item)
    chosen: list[str] = []
    room = length.words
    prose = (" ".join(text[start:end].split()) for start, end in each_sentence(text, item.language))
    for sentence in islice(dropwhile(_is_shouted, prose), length.sentences):
        count = len(sentence.split())
        if chosen and (count > room or not _is_whole(sentence) or _is_cut_off(sentence)):
            break
        chosen.append(sentence if count <= room else cut_words(sentence, room))
        room -= count
        if room <= 0:
            break
    return " ".join(chosen)


def cut_words(text: str, limit: int) -> str:
    """The first `limit` words, with an ellipsis where some were left out."""
    parts = text.split()
    if len(parts) <= limit:
        return " ".join(parts)
    return " ".join(parts[:limit]).rstrip(" ,;:-–—(«“\"'.") + ELLIPSIS


def cut_characters(text: str, limit: int) -> str:
    """The text on one line in at most `limit` characters, cut at a word, with an ellipsis where it was cut."""
    text = " ".join(text.split())
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    if not text[limit - 1].isspace() and " " in head:
        head = head[: head.rindex(" ")]
    return head.rstrip(" ,;:-–—(«“\"'.") + ELLIPSIS


def _is_shouted(sentence: str) -> bool:
    """Whether it is a line in capitals ("SIGN UP TO OUR NEWSLETTER."): an appeal of the feed, not news."""
    return sentence.isupper() and len(sentence.split()) >= SHOUTED_WORDS


def _is_cut_off(sentence: str) -> bool:
    """Whether a feed's own limit ended the sentence: its author did not."""
    return sentence.endswith((ELLIPSIS, "..."))


def _source_text(item: Item) -> str:
    """What the feed says of the item; the text of its page where that only goes on, or the feed says nothing whole."""
    own = _own_text(item)
    if item.article:
        page = "\n\n".join(block.text for block in item.article if block.kind == "p")
        if not own or _is_cut_off(own) or _goes_on(own, page, item.language):
            return page
    return own


def _goes_on(text: str, page: str, language: str) -> bool:
    """Whether a page begins with the words of a text."""
    begin = words(text, language)[:FIRST_WORDS]
    return words(page[:2 * len(text) + 100], language)[:len(begin)] == begin


def _own_text(item: Item) -> str:
    """The summary without leading subheads; where there is none, the paragraphs of the body."""
    if item.summary.strip():
        text = item.summary.strip()
        while "\n" in text and _is_subhead(*text.split("\n", 1)):
            text = text.split("\n", 1)[1].strip()
        return text
    return "\n\n".join(block.text for block in item.body if block.kind == "p")


def _without_title(text: str, item: Item) -> str:
    """The text without its first sentence where that only repeats the headline."""
    if not _begin_alike(text, item.title, item.language):
        return text
    start, end = next(each_sentence(text, item.language), (0, 0))
    if end and words(text[start:end], item.language) == words(item.title, item.language):
        return text[end:].lstrip()
    return text


def _begin_alike(text: str, title: str, language: str) -> bool:
    """Whether both have the same first word: a quick answer for most texts."""
    pattern = word_pattern(language)
    first, second = pattern.search(text), pattern.search(title)
    return bool(first and second and fold(first.group(), language) == fold(second.group(), language))


def _is_subhead(line: str, following: str) -> bool:
    """Whether a first line is a heading and no wrapped sentence: short, without end mark, before a capital."""
    return len(line.split()) <= SUBHEAD_WORDS and not _is_whole(line) and not following.lstrip()[:1].islower()


def _is_whole(sentence: str) -> bool:
    return sentence.rstrip().rstrip(CLOSERS).endswith(tuple(END_MARKS))
