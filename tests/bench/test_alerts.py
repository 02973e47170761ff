"""The bench of alerts sees items, alerts and mails in this order."""

from datetime import UTC, datetime

from bench import alerts
from bench.outlets import Outlet, serving
from digest.query import parse_query
from digest.settings import PollingSettings


def test_it_measures_from_item_to_alert_and_mail() -> None:
    hosts = {f"post-{number}.example": Outlet(alerts.document(number, datetime.now(UTC))) for number in range(2)}
    with serving(hosts) as street:
        found = alerts.measure(street.port, street.hosts, 400, PollingSettings(host_gap_seconds=0, parse_workers=1))
    assert found.items == 2 * alerts.ITEMS
    assert found.alerts and found.mails and min(found.alerts) >= 0
    assert alerts.row("queued", [0.1, 0.2]).startswith("queued:      2   median")


def test_its_rules_can_be_read_and_differ() -> None:
    made = alerts.queries(800)
    assert len({str(parse_query(query)) for query in made}) > 750
