"""robots.txt as RFC 9309 reads it."""

import time

import pytest

from digest.pipeline.robots import Rules, rules_for

AGENT = "RegionDigest/0.1 (+https://example.org)"


@pytest.mark.parametrize(("text", "path", "allowed"), [
    ("", "/a", True),
    ("User-agent: *\nDisallow: /", "/a", False),
    ("User-agent: *\nDisallow:", "/a", True),
    ("User-agent: *\nDisallow: /admin\nAllow: /admin/news", "/admin/news/1", True),  # the longer pattern
    ("User-agent: *\nAllow: /page\nDisallow: /page", "/page", True),  # the kinder of two equal ones
    ("User-agent: *\nDisallow: /*.pdf$", "/a/b.pdf", False),
    ("User-agent: *\nDisallow: /*.pdf$", "/a/b.pdf?x", True),
    ("User-agent: *\nDisallow: /*?print", "/news/1?print=1", False),
    ("User-agent: *\nDisallow: /news/*/print", "/news/1/print/", False),
    ("User-agent: *\nDisallow: /новости", "/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8/1", False),
    ("user-agent: REGIONDIGEST\ndisallow: /x # all of it\n\nUser-agent: *\nDisallow: /", "/a", True),  # our own group
    ("User-agent: regiondigest\nDisallow: /x", "/x/1", False),
    ("User-agent: RegionDigestBot\nDisallow: /", "/a", True),  # somebody else
    ("User-agent: a\nUser-agent: *\nDisallow: /x\nSitemap: https://a.example/s\nDisallow: /y", "/y", False),
    ("User-agent: *\nDisallow: /x\n\nUser-agent: *\nDisallow: /y", "/x", False),  # groups of one name are one
    ("Disallow: /", "/a", True),  # belongs to no group
    ("<html><p>User-agent: nobody</p>", "/a", True),
    ("User-agent: *\nDisallow: $", "/a", True),
    ("User-agent: *\nDisallow: /a$", "/a", False),
    ("\ufeffUser-agent: *\r\nDisallow: /a\r\n", "/a", False),
])
def test_the_longest_rule_of_our_group_decides(text: str, path: str, allowed: bool) -> None:
    assert rules_for(text, AGENT).allow(f"https://a.example{path}") is allowed


def test_a_server_says_how_long_to_wait_within_reason() -> None:
    assert rules_for("User-agent: *\nCrawl-delay: 2.5", AGENT).delay == 2.5
    assert rules_for("User-agent: *\nCrawl-delay: 86400", AGENT).delay == 30.0
    assert rules_for("User-agent: *\nCrawl-delay: soon", AGENT) == Rules()


def test_a_hostile_pattern_takes_no_time() -> None:
    rules = rules_for(f"User-agent: *\nDisallow: /{'*a' * 5_000}b", AGENT)
    started = time.perf_counter()
    assert rules.allow(f"https://a.example/{'a' * 20_000}")
    assert time.perf_counter() - started < 1
