"""The page that stops alerts: /a/{token}, for every kind of mark that an alert mail carries. GET stops nothing."""

import pytest

from digest.alert_rules import AlertSpec
from digest.app import App
from digest.services import alert_rules, leaving
from digest.services.envelopes import unsubscribe_url
from digest.storage import alert_rules as storage
from digest.storage.engine import read_only
from tests.web.browser import Browser
from tests.web.worlds import NOW

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
READER = "reader@example.org"


def path_of(world: App, mark: str) -> str:
    url = unsubscribe_url(world.settings, world.signer(), mark)
    return url[url.index("/a/"):]


def stopped(world: App) -> list[str]:
    """What was stopped: rules that were removed, and targets of rules that are not."""
    with read_only(world.engine) as conn:
        rules = storage.rules(conn, "active", "removed")
        channels = storage.channels_of(conn, [rule.id for rule in rules])
    return [rule.name.partition(" #")[0] for rule in rules if rule.state == "removed"] + [
        f"{rule.name} to {one.target}" for rule in rules for one in channels[rule.id] if one.state == "stopped"]


@pytest.mark.parametrize(("names", "ended"), [
    (("own",), ["own"]), (("desk",), [f"desk to {READER}"]), (("own", "desk"), ["own", f"desk to {READER}"])])
def test_stop_works_without_log_in_and_by_get_never(
    world: App, local: Browser, names: tuple[str, ...], ended: list[str]
) -> None:
    with world.engine.begin() as conn:
        alert_rules.add(conn, "own", AlertSpec(query="gas"), READER, NOW)
        alert_rules.add(conn, "desk", AlertSpec(query="gas"), None, NOW, to=(READER, "other@example.org"))
        alert_rules.edit(conn, "own", {"query": "oil"}, "operator", NOW)
        mark = leaving.alerts_mark(conn, [alert_rules.find(conn, name) for name in names], READER)
    path = path_of(world, mark)
    for answer in (local.get(path), local.ask("HEAD", path)):
        assert answer.status_code in {200, 405} and stopped(world) == []
    assert all(f"“{name}”" in local.get(path).text for name in names)
    for _ in range(2):
        answer = local.post(path, data=ONE_CLICK)
        assert answer.status_code == 200 and "set-cookie" not in answer.headers
        assert stopped(world) == ended
    assert local.get(path).status_code == 200


def test_a_link_to_a_channel_that_is_gone_says_so(world: App, local: Browser) -> None:
    assert local.get(path_of(world, "channel:999")).status_code == 404
