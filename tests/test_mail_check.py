"""What make mail-check lets pass is little, and explained."""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ALLOWED = json.loads((ROOT / "tools" / "mail-check" / "caniemail-allowed.json").read_text())
PAGE = (ROOT / "docs" / "mail.md").read_text()


def test_few_features_that_a_mail_reader_lacks_are_allowed() -> None:
    assert 0 < len(ALLOWED) <= 15
    assert len({entry["feature"] for entry in ALLOWED}) == len(ALLOWED)


def test_the_fallback_of_each_is_explained() -> None:
    plain = PAGE.replace("`", "")
    missing = [entry["feature"] for entry in ALLOWED
               if f"| {entry['feature']} | {entry['fallback'].replace('`', '')} |" not in plain]
    assert missing == []


def test_the_pictures_are_small() -> None:
    pictures = sorted((ROOT / "docs" / "screenshots").glob("*.png"))
    assert len(pictures) == 6
    assert [path.name for path in pictures if path.stat().st_size > 200_000] == []


def test_the_lock_names_no_registry() -> None:
    lock = json.loads((ROOT / "tools" / "mail-check" / "package-lock.json").read_text())
    assert [name for name, entry in lock["packages"].items() if "resolved" in entry] == []
    assert all(entry.get("integrity") for name, entry in lock["packages"].items() if name)
