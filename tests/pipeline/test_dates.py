from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.pipeline.dates import parse_date


@pytest.mark.parametrize(("text", "instant", "offset"), [
    ("20 Mar 2023, 08:06 GMT+10", "2023-03-19T22:06", 600),
    ("Tue, 17 Feb 2026 17:36:36 +0000", "2026-02-17T17:36:36", 0),
    ("Tue, 17 Feb 2026 17:36:36 -0500", "2026-02-17T22:36:36", -300),
    ("Tue, 17 Feb 26 10:01:00 GMT", "2026-02-17T10:01", 0),
    ("Tue, 17 Feb 2026 17:36:36 +05", "2026-02-17T12:36:36", 300),
    ("Tue, 17 Feb 2026 17:36:36 UTC+05:00", "2026-02-17T12:36:36", 300),
    ("Tue, 17 Feb 2026 17:36:36 UTC+5", "2026-02-17T12:36:36", 300),
    ("Tue, 17 Feb 2026 17:36:36 MSK", "2026-02-17T14:36:36", 180),
    ("Tue, 17 Feb 2026 17:36:36 ALMT", "2026-02-17T12:36:36", 300),
    ("Fri, 17 Feb 2023 17:36:36 ALMT", "2023-02-17T11:36:36", 360),  # before the zone moved
    ("Tue, 17 Feb 2026 17:36:36 Asia/Almaty", "2026-02-17T12:36:36", 300),
    ("Tue, 17 Feb 2026 17:36:36 EST", "2026-02-17T22:36:36", -300),
    ("Tue, 17 Feb 2026 17:36:36 +0300 MSK", "2026-02-17T14:36:36", 180),
    ("Feb 17, 2026 5:36 pm EST", "2026-02-17T22:36", -300),
    ("Tue Feb 17 17:36:36 MSK 2026", "2026-02-17T14:36:36", 180),
    ("Tue Feb 17 2026 17:36:36 GMT+0500 (Kazakhstan)", "2026-02-17T12:36:36", 300),
    ("Вт, 17 фев 2026 17:36:36 +0600", "2026-02-17T11:36:36", 360),
    ("17 ақпан 2026 17:36 +05:00", "2026-02-17T12:36", 300),
    ("2026-02-17T17:36:36+05:00", "2026-02-17T12:36:36", 300),
    ("2026-02-17T17:36:36-0500", "2026-02-17T22:36:36", -300),
    ("2026-02-17 17:36:36.123 UTC", "2026-02-17T17:36:36", 0),
    ("20260217T173636Z", "2026-02-17T17:36:36", 0),
    ("17/02/2026 10:00 +0500", "2026-02-17T05:00", 300),
    ("1771324200", "2026-02-17T10:30", 0),
    ("1771324200000", "2026-02-17T10:30", 0),
])
def test_an_instant_is_read_with_its_offset(text: str, instant: str, offset: int) -> None:
    date = parse_date(text)
    assert date is not None
    assert (date.instant, date.offset_minutes, date.date_only) == (
        datetime.fromisoformat(instant).replace(tzinfo=UTC), offset, False)


@pytest.mark.parametrize("text", [
    "2026-02-17", "17.02.2026", "17/02/2026", "17 февраля 2026", "17 февраля 2026 г. в 17:36", "17:36, 17 февраля 2026",
    "2026 жылғы 17 ақпан", "17 ақпан 2026, 10:00", "17 fevral 2026", "Tuesday, February 17, 2026 - 17:36",
    "2026-02-17T17:36:36",  # no zone: the time of day says nothing
    "Tue Feb 17 17:36:36 2026", "Tue, 17 Feb 2026 00:00:00 GMT",
])
def test_a_day_is_read_as_a_day(text: str) -> None:
    date = parse_date(text)
    assert date is not None
    assert (date.instant, date.date_only) == (datetime(2026, 2, 17, tzinfo=UTC), True)


@pytest.mark.parametrize("text", [
    "", "soon", "04/05/2026", "31 Feb 2026 10:00 GMT", "Tue, 17 Feb 2026 17:36:36 XYZ", "Tue, 17 Feb 2026 25:00 GMT",
    "Fri, 11 Mar 2016 01:15:00 +3000", "Tue, 17 Feb 2026 17:36:36 AMT", "2026-13-01", "17 2026", "99999999999999",
])
def test_what_could_mean_another_instant_is_no_date(text: str) -> None:
    assert parse_date(text) is None


@given(st.text(max_size=60) | st.text(alphabet="0123456789:-+/ ,.TZGMTFebAPMmk()", max_size=40))
def test_no_text_breaks_it(text: str) -> None:
    date = parse_date(text)
    assert date is None or date.instant.tzinfo is UTC
