"""Return paths: read back what was written, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.mail.verp import read_return_path, return_path

KEY, OTHER = b"k" * 32, b"o" * 32
NAME = "0123456789abcdef" * 2


@given(st.binary(min_size=16, max_size=16), st.sampled_from(["", "@news.example.org"]))
def test_a_return_path_is_read_back_in_any_case(raw: bytes, host: str) -> None:
    path = return_path(raw.hex() + host, KEY, "bounce.example.org")
    local, _, domain = path.partition("@")
    assert (len(local), domain) == (42, "bounce.example.org")
    for address in (path, path.upper(), f"<{path}>", path.replace("b+", "Bounces+")):
        assert read_return_path(address, KEY) == raw.hex()


def test_each_changed_letter_breaks_it() -> None:
    path = return_path(NAME, KEY, "bounce.example.org")
    start, end = len("b+"), path.index("@")
    for place in range(start, end):
        for letter in "a7q":
            forged = path[:place] + letter + path[place + 1 :]
            assert read_return_path(forged, KEY) == (NAME if forged == path else None)


@pytest.mark.parametrize("address", [
    "", "@", "<>", "b+@bounce.example.org", "news@example.org", f"b+{'a' * 40}@bounce.example.org",
    "b+" + "1" * 40 + "@x", f"b+{NAME}@bounce.example.org", "b+" + "é" * 40 + "@x", "b+" + "a" * 5000 + "@x", "a" * 40,
    "\x00b+\x00@\x00"])
def test_other_addresses_name_nothing(address: str) -> None:
    assert read_return_path(address, KEY) is None


def test_the_path_of_another_instance_names_nothing() -> None:
    assert read_return_path(return_path(NAME, OTHER, "bounce.example.org"), KEY) is None


@pytest.mark.parametrize("mail_id", ["", "x", NAME[:-1], NAME.upper(), f"{NAME}0", "g" * 32])
def test_only_ids_of_the_ledger_become_return_paths(mail_id: str) -> None:
    with pytest.raises(ValueError, match="no mail id"):
        return_path(mail_id, KEY, "bounce.example.org")
