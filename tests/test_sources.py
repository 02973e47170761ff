import pytest

from digest.documents import find_mistakes, read_configuration
from digest.model import Access, ArticleText, Feed, short_id


def feed(extra: str = "") -> str:
    return ('[[sources]]\nslug = "post"\nname = "Post"\n[[sources.feeds]]\n'
            f'url = "https://post.example/feed"\n{extra}\n')


def read(extra: str = "") -> Feed:
    only, = read_configuration({"sources/post.toml": feed(extra)}).feeds
    return only


def test_a_feed_says_how_it_is_polled() -> None:
    asked = read('interval_minutes = 5\narticle_text = "off"\nusername = "reader"\npassword = "secret"\n'
                 'proxy = "http://proxy.example:3128"\nheaders = { X-Key = "1" }')
    assert (asked.interval_minutes, asked.article_text) == (5, ArticleText.OFF)
    assert asked.access == Access((("X-Key", "1"),), "reader", "secret", "http://proxy.example:3128")
    assert "secret" not in repr(asked)
    assert read().access == Access()


def test_a_feed_with_a_new_address_stays_the_same_feed() -> None:
    moved = read('formerly = "https://old.example/rss"')
    assert (moved.id, moved.url) == (short_id("https://old.example/rss"), "https://post.example/feed")


@pytest.mark.parametrize(("extra", "words"), [
    ("interval_minutes = 0", "interval_minutes"), ('proxy = "socks5://x:1"', "no other kind of proxy"),
    ('headers = { "a b" = "1" }', "headers"), ('headers = { a = "1\\r\\nb: 2" }', "headers"),
    ('formerly = "ftp://x/"', "absolute http(s) address"), ('formerly = "https://me:pw@x/"', "no name or password"),
])
def test_what_cannot_be_is_said_with_its_place(extra: str, words: str) -> None:
    mistake, = find_mistakes({"sources/post.toml": feed(extra)})
    assert words in str(mistake) and str(mistake).startswith("sources/post.toml:")
