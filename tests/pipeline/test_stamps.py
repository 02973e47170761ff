from datetime import UTC, datetime, timedelta

import pytest

from digest.pipeline.dates import ParsedDate
from digest.pipeline.stamps import false_stamps

NOW = datetime(2026, 3, 20, 2, 0, tzinfo=UTC)
RUN = NOW - timedelta(seconds=31)  # a scraper's run just before the poll
ON_THE_HOUR = datetime(2026, 3, 19, 21, 0, tzinfo=UTC)


def exact(*instants: datetime) -> list[ParsedDate | None]:
    return [ParsedDate(instant, 0, False) for instant in instants]


def apart(count: int) -> list[ParsedDate | None]:
    """Dates of as many entries that were published a day from each other."""
    return exact(*(NOW - timedelta(days=number, minutes=7) for number in range(count)))


@pytest.mark.parametrize(("dates", "false"), [
    ([*exact(*[RUN] * 5), *apart(25)], {RUN}),  # the scraper finds the dates of some pages alone
    ([*exact(*[RUN] * 4), *apart(25)], set()),
    ([*exact(*[ON_THE_HOUR] * 20), *apart(5)], set()),  # the morning's paper, and what came since
    ([*exact(*[RUN - timedelta(days=30)] * 5), *apart(25)], set()),  # old: looks like news to nobody
    (exact(*[RUN - timedelta(days=30)] * 5), {RUN - timedelta(days=30)}),
    ([None] * 9, set()),
    ([], set()),
])
def test_a_stamp_that_entries_share_to_the_second_is_a_machines(
        dates: list[ParsedDate | None], false: set[datetime]) -> None:
    assert false_stamps(dates, NOW) == false


def test_a_day_alone_is_no_stamp() -> None:
    day = ParsedDate(datetime(2026, 3, 19, tzinfo=UTC), 0, True)
    assert false_stamps([day] * 9, NOW) == frozenset()
