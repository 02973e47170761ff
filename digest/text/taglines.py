"""What is likely wrong in a tagline or a name: slips of the hand, and a cadence that the days belie."""

import re

# Two letters, the mark, two letters: "U.S." and "e.g." are none.
_STUCK = re.compile(r"\w*[^\W\d_]{2}([.!?;:,])[^\W\d_]{2}\w*")
_LOOSE = re.compile(r"\w\s+([.,;:])(?:\s|$)")
_TWICE = re.compile(r"\b(\w{2,})\s+\1\b", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|\S+@\S+|\b[\w-]+\.(?:com|info|kg|kz|net|news|org|ru|tj|tm|uz)\b")
DAILY = re.compile(
    r"\bdaily\b|every ?day|ежедневн|кажд(?:ый|ого) д(?:ень|ня)|күнделікті|күн сайын|күндөлүк|\bhar kun|"
    r"kundalik|ҳаррӯза|ҳар рӯз", re.IGNORECASE)
WEEKLY = re.compile(
    r"\bweekly\b|every week|еженедельн|кажд(?:ую|ой) недел|апта(?:лық| сайын)|жума(?:лык| сайын)|"
    r"haftalik|har hafta|ҳафтаина|ҳар ҳафта", re.IGNORECASE)
MOST_DAYS = 5  # a newsletter of fewer days a week is hardly daily


def find_typos(text: str) -> list[str]:
    """What is likely mistyped in a line, one phrase each; [] where nothing is."""
    text = _ADDRESS.sub("…", text)
    found = []
    if stuck := _STUCK.search(text):
        mark = "a full stop" if stuck[1] == "." else f"“{stuck[1]}”"
        found.append(f"a space is missing after {mark} in “{stuck[0]}”")
    if loose := _LOOSE.search(text):
        found.append(f"a space stands before “{loose[1]}”")
    if twice := _TWICE.search(text):
        found.append(f"“{twice[1]}” stands twice")
    return found


def cadence_doubt(text: str, days: int) -> str | None:
    """How a line promises another rhythm than `days` editions a week (1: a weekly); None where it does not."""
    if DAILY.search(text) and days < MOST_DAYS:
        return "says daily, but it is " + ("a weekly" if days == 1 else f"sent on {days} days a week")
    if WEEKLY.search(text) and days > 1:
        return f"says weekly, but it is sent on {days} days a week"
    return None
