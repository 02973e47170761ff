"""The normal form of addresses, and which may sign up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import AddressRefused
from digest.services import addresses
from digest.settings import SignUpSettings


@pytest.mark.parametrize(("typed", "stored"), [
    (" Reader@Example.ORG ", "reader@example.org"),
    ("reader@пример.рф", "reader@xn--e1afmkfd.xn--p1ai"),
    ("reader@xn--e1afmkfd.xn--p1ai", "reader@xn--e1afmkfd.xn--p1ai"),
    ("Анна@Пример.рф", "анна@xn--e1afmkfd.xn--p1ai"),
    ("用户@例え.jp", "用户@xn--r8jz45g.jp"),
    ("u\u0308@example.org", "\u00fc@example.org"),  # NFC (RFC 6532 §3.1)
    ("reader@digest.test", "reader@digest.test"),
    ("reader@demo.example", "reader@demo.example"),
    ("a.b+tag@example.org", "a.b+tag@example.org"),
    ("o'neill!#$%&*/=?^_`{|}~-@example.org", "o'neill!#$%&*/=?^_`{|}~-@example.org"),
])
def test_addresses_have_one_normal_form(typed: str, stored: str) -> None:
    assert addresses.normalise_address(typed) == stored
    assert addresses.normalise_address(stored) == stored


@pytest.mark.parametrize(("typed", "reason"), [
    ("", addresses.EMPTY), ("   ", addresses.EMPTY),
    ("reader", addresses.NO_AT), ("reader@", addresses.NO_AT), ("@example.org", addresses.NO_AT),
    ("a@b@example.org", addresses.NO_AT),
    ("reader@localhost", addresses.BAD_DOMAIN), ("reader@example", addresses.BAD_DOMAIN),
    ("reader@[192.0.2.1]", addresses.BAD_DOMAIN), ("reader@exa mple.org", addresses.BAD_DOMAIN),
    ("reader@-example.org", addresses.BAD_DOMAIN), ("reader@example.invalid", addresses.BAD_DOMAIN),
    ("reader@example.org\nBcc: x", addresses.BAD_DOMAIN),
    ("a b@example.org", addresses.BAD_NAME), (".a@example.org", addresses.BAD_NAME),
    ("a..b@example.org", addresses.BAD_NAME), ('"a b"@example.org', addresses.BAD_NAME),
    ("a\x00b@example.org", addresses.BAD_NAME), ("a\u200bb@example.org", addresses.BAD_NAME),
    ("a\u202eb@example.org", addresses.BAD_NAME), ("Reader <reader>@example.org", addresses.BAD_NAME),
    ("x" * 70 + "@example.org", addresses.TOO_LONG), ("a" * 10000, addresses.TOO_LONG),
    ("ж" * 40 + "@example.org", addresses.TOO_LONG),  # 80 octets before the @
])
def test_bad_addresses_are_refused_with_a_plain_reason(typed: str, reason: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        addresses.normalise_address(typed)
    assert caught.value.reason == reason
    assert len(str(caught.value)) < 400


@given(st.text(max_size=30), st.sampled_from(["example.org", "пример.рф", "xn--e1afmkfd.xn--p1ai", "ß.example"]))
def test_the_normal_form_of_anything_is_normal(name: str, domain: str) -> None:
    try:
        normal = addresses.normalise_address(f"{name}@{domain}")
    except AddressRefused:
        return
    assert addresses.normalise_address(normal) == normal
    assert normal.rpartition("@")[2].isascii() and not set(normal) & set("\r\n\t <>,")


@pytest.mark.parametrize(("typed", "reason"), [
    ("x@mailinator.com", addresses.THROW_AWAY), ("x@sub.Mailinator.com", addresses.THROW_AWAY),
    ("x@spam.example.net", addresses.THROW_AWAY), ("анна@example.org", addresses.NOT_ASCII),
])
def test_some_addresses_may_not_sign_up(typed: str, reason: str) -> None:
    settings = SignUpSettings(international=False, refuse_domains=("example.net",))
    with pytest.raises(AddressRefused) as caught:
        addresses.address_for_sign_up(typed, settings)
    assert caught.value.reason == reason


def test_an_allowed_domain_is_never_throw_away() -> None:
    settings = SignUpSettings(allow_domains=("Mailinator.com",))
    assert addresses.address_for_sign_up("x@eu.mailinator.com", settings) == "x@eu.mailinator.com"
    assert addresses.address_for_sign_up("анна@example.org", settings) == "анна@example.org"


@pytest.mark.parametrize(("address", "mailbox"), [
    ("reader+1@example.org", "reader@example.org"), ("r.e@gmail.com", "re@gmail.com"),
    ("r.e+x@googlemail.com", "re@gmail.com"), ("r.e@example.org", "r.e@example.org"),
    ("+x@example.org", "+x@example.org"),
])
def test_limits_count_mailboxes_not_spellings(address: str, mailbox: str) -> None:
    assert addresses.mailbox_key(address) == mailbox
