from datetime import timedelta

import pytest

from digest.pipeline.hints import answer_hint, document_minutes

DATE = "Tue, 17 Feb 2026 12:00:00 GMT"


@pytest.mark.parametrize(("ttl", "period", "frequency", "minutes"), [
    ("", "", "", None), ("60", "", "", 60), (" 15 ", "", "", 15), ("soon", "", "", None), ("0", "", "", None),
    ("", "hourly", "1", 60), ("", "hourly", "4", 15), ("", "Daily", "", 1440), ("", "hourly", "0", 60),
    ("30", "hourly", "1", 60), ("", "now and then", "1", None), ("999999", "", "", 366 * 1440),
])
def test_what_a_document_asks_for(ttl: str, period: str, frequency: str, minutes: int | None) -> None:
    assert document_minutes(ttl, period, frequency) == minutes


@pytest.mark.parametrize(("headers", "seconds"), [
    ({}, None), ({"cache-control": "public, max-age=900"}, 900), ({"cache-control": "max-age=0"}, None),
    ({"cache-control": "no-cache, max-age=900"}, None), ({"cache-control": 'MAX-AGE="60"'}, 60),
    ({"expires": "Tue, 17 Feb 2026 12:30:00 GMT", "date": DATE}, 1800), ({"expires": "0", "date": DATE}, None),
    ({"expires": "Tue, 17 Feb 2026 11:00:00 GMT", "date": DATE}, None),
    ({"cache-control": "max-age=60", "expires": "Wed, 18 Feb 2026 12:00:00 GMT", "date": DATE}, 60),
])
def test_how_long_an_answer_is_fresh(headers: dict[str, str], seconds: int | None) -> None:
    assert answer_hint(headers) == (timedelta(seconds=seconds) if seconds else None)
