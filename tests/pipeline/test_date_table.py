"""Dates in the words of the region: each expected instant was worked out by hand.

A wrong instant puts a story into the wrong edition, so wrong ones are counted apart from those that are not read.
"""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from digest.pipeline.dates import parse_date

DAY = "2026-02-17"

# language -> strings and what they give: a day, or an instant with its offset.
WORDS = {
    "en": [
        ("Tuesday, 17 February 2026", DAY), ("Tue, 17 Feb 2026 17:36:36 +0500", "2026-02-17T17:36:36+05:00"),
        ("February 17th, 2026", DAY), ("Sept 3, 2026 5:05 pm GMT", "2026-09-03T17:05:00+00:00"),
        ("Published 17 Feb 2026, 12:15 AM UTC", "2026-02-17T00:15:00+00:00"),
    ],
    "ru": [
        ("17 февраля 2026 г.", DAY), ("Вт, 17 фев 2026 17:36:36 +0300", "2026-02-17T17:36:36+03:00"),
        ("вторник, 17 февраля 2026 года, 17:36", DAY), ("17 февр. 2026 17:36 МСК", "2026-02-17T17:36:00+03:00"),
        ("3 мая 2026 09:05 мск", "2026-05-03T09:05:00+03:00"), ("17.02.2026, 17:36 ч.", DAY),
        ("Ср, 03 Июн 2026 00:15:00 +0600", "2026-06-03T00:15:00+06:00"),
    ],
    "kk": [
        ("2026 жылғы 17 ақпан", DAY), ("17 ақпан 2026 17:36 +05:00", "2026-02-17T17:36:00+05:00"),
        ("Сейсенбі, 17 ақпан 2026 ж.", DAY), ("2026 жылдың 17 ақпанында", DAY), ("17 ақпанда 2026", DAY),
        ("Сс, 17 Ақп 2026 17:36:36 +0500", "2026-02-17T17:36:36+05:00"),
        ("1 желтоқсан 2026, 08:00 UTC+5", "2026-12-01T08:00:00+05:00"), ("17 aqpan 2026", DAY),
    ],
    "uz-Latn": [
        ("17-fevral 2026-yil", DAY), ("2026-yil 17-fevral, seshanba", DAY), ("17-mart, 2026", "2026-03-17"),
        ("17 fevral 2026 17:36 +0500", "2026-02-17T17:36:00+05:00"),
        ("2026 yil 17 fevralda", DAY), ("3 sentabr 2026 09:05 UZT", "2026-09-03T09:05:00+05:00"),
        ("3 oktabr 2026", "2026-10-03"),
    ],
    "uz-Cyrl": [
        ("17 феврал 2026 йил", DAY), ("2026 йил 17 февралда", DAY), ("Сешанба, 17 феврал 2026, 17:36", DAY),
        ("3 сентябр 2026 09:05 +05", "2026-09-03T09:05:00+05:00"),
    ],
    "ky": [
        ("2026-жылдын 17-февралы", DAY), ("17-февраль, 2026-ж.", DAY), ("17-февралында 2026", DAY),
        ("17 фев 2026 17:36:36 +0600", "2026-02-17T17:36:36+06:00"),
        ("Шейшемби, 3-март 2026, 09:05 KGT", "2026-03-03T09:05:00+06:00"),
    ],
    "tg": [
        ("17 феврали соли 2026", DAY), ("Сешанбе, 17 феврали 2026", DAY), ("3 сентябри 2026, 09:05", "2026-09-03"),
        ("17 феврал 2026 17:36 TJT", "2026-02-17T17:36:00+05:00"), ("1 майи 2026", "2026-05-01"),
    ],
    "tk": [
        ("2026-njy ýylyň 17-nji fewraly", DAY), ("17.02.2026 ý.", DAY), ("3-nji sentýabr 2026", "2026-09-03"),
        ("17 fewral 2026 17:36 TMT", "2026-02-17T17:36:00+05:00"), ("1-nji maý 2026 ý.", "2026-05-01"),
        ("3-nji iýunda 2026", "2026-06-03"),
    ],
    "de": [
        ("Dienstag, 17. Februar 2026", DAY), ("Di, 17 Feb 2026 17:36:36 +0100", "2026-02-17T17:36:36+01:00"),
        ("3. März 2026, 09:05 Uhr", "2026-03-03"), ("3. Dez. 2026 09:05 CET", "2026-12-03T09:05:00+01:00"),
        ("1. Mai 2026", "2026-05-01"),
    ],
    "fr": [
        ("mardi 17 février 2026", DAY), ("mar. 17 févr. 2026 17:36:36 +0100", "2026-02-17T17:36:36+01:00"),
        ("17 février 2026 à 17h36", DAY), ("3 août 2026 09:05 CEST", "2026-08-03T09:05:00+02:00"),
        ("1er mai 2026", "2026-05-01"),
    ],
}
# zone forms, after "17 Feb 2026 17:36" -> offset in minutes
ZONES = {
    "Almaty": [("ALMT", 300), ("Asia/Almaty", 300), ("+0500 ALMT", 300), ("alma-ata", 300)],
    "Moscow": [("MSK", 180), ("МСК", 180), ("+0300 MSK", 180), ("Europe/Moscow", 180)],
    "Moscow and hours": [("МСК+2", 300), ("MSK+3", 360), ("мск +4", 420), ("MSK-1", 120)],
    "bare hours": [("+05", 300), ("+5", 300), ("-05", -300), ("+06", 360)],
    "UTC+n": [("UTC+5", 300), ("UTC+05:00", 300), ("UTC +6", 360), ("UTC-3:30", -210)],
    "GMT+n": [("GMT+10", 600), ("GMT+0500", 300), ("GMT +5", 300), ("GMT-5", -300)],
    "digits": [("+0500", 300), ("+05:00", 300), ("-0330", -210), ("+1345", 825)],
    "Central Asia": [("UZT", 300), ("KGT", 360), ("TJT", 300), ("TMT", 300), ("Asia/Bishkek", 360)],
    "Russia": [("YEKT", 300), ("OMST", 360), ("NOVT", 420), ("VLAT", 600)],
    "Greenwich": [("GMT", 0), ("Z", 0), ("UT", 0), ("UTC", 0)],
}


def expected(text: str) -> tuple[datetime, bool]:
    """The instant in UTC, and whether only its day is known."""
    if len(text) == len(DAY):
        return datetime.fromisoformat(text).replace(tzinfo=UTC), True
    return datetime.fromisoformat(text).astimezone(UTC), False


def verdicts(rows: list[tuple[str, tuple[datetime, bool]]]) -> tuple[list[str], list[str]]:
    """The strings that are read wrongly, and those that are not read."""
    read = [(text, parse_date(text), right) for text, right in rows]
    wrong = [text for text, date, right in read if date and (date.instant, date.date_only) != right]
    return wrong, [text for text, date, _ in read if date is None]


@pytest.mark.parametrize("language", WORDS)
def test_dates_in_words(language: str) -> None:
    assert len(WORDS[language]) >= 4
    assert verdicts([(text, expected(right)) for text, right in WORDS[language]]) == ([], [])


@pytest.mark.parametrize("form", ZONES)
def test_zones(form: str) -> None:
    local = datetime(2026, 2, 17, 17, 36)  # noqa: DTZ001 -- its zone is what is tested
    rows = [(f"17 Feb 2026 17:36 {zone}",
             (local.replace(tzinfo=timezone(timedelta(minutes=offset))).astimezone(UTC), False))
            for zone, offset in ZONES[form]]
    assert len(rows) >= 4
    assert verdicts(rows) == ([], [])


@pytest.mark.parametrize("text", [
    "17 Brumaire 2026", "17 мартабан 2026", "mar 2026", "17 17 мая 2026", "мая 2026",
    "17 Feb 2026 17:36 по времени Астаны", "17 Feb 2026 17:36 MSK+20", "февраль март 17 2026",
])
def test_what_is_no_date_is_not_read(text: str) -> None:
    assert parse_date(text) is None
