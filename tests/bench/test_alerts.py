"""The bench of alerts sees items, alerts and mails in this order."""

import re

import pytest

from bench import alerts
from digest.query import parse_query


def test_it_measures_from_item_to_alert_and_mail(capsys: pytest.CaptureFixture[str]) -> None:
    alerts.main(["--rules", "800", "--feeds", "4", "--delay", "0.01"])
    out = capsys.readouterr().out
    assert "800 rules, 4 feeds, 20 items" in out
    queued = re.search(r"alert queued for its targets: +([0-9]+)(?: +median ([0-9.]+) s)?", out)
    assert queued is not None and int(queued[1]) > 0
    assert "mail in the ledger" in out and "without rules" in out


def test_its_rules_can_be_read_and_differ() -> None:
    made = alerts.queries(800)
    assert len({str(parse_query(query)) for query in made}) > 750
