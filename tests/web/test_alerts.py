"""The page that stops alerts: /a/{token}, for every kind of mark that an alert mail carries. GET stops nothing."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import text

from digest.alert_rules import FEED, AlertSpec
from digest.app import App
from digest.services import alert_answers, alert_bundles, alert_channels, alert_rules, leaving
from digest.services.alerts import AlertEngine, Context
from digest.services.envelopes import unsubscribe_url
from digest.storage import alert_rules as storage
from digest.storage import alerts as alert_storage
from digest.storage.engine import read_only
from tests.web.browser import Browser
from tests.web.worlds import NOW, put_stories

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


@dataclass(frozen=True)
class Told:
    """An alert that READER was told, with the address of its page."""

    alert_id: int
    mark: str

    def path(self, world: App, say: str = "") -> str:
        return f"{path_of(world, self.mark)}/alert/{self.alert_id}{say and f'?say={say}'}"


@pytest.fixture
def told(world: App) -> Told:
    with world.engine.begin() as conn:
        alert_rules.add(conn, "own", AlertSpec(query="vote OR grain"), READER, NOW - timedelta(days=1))
    put_stories(world)
    AlertEngine(world.engine).fire(Context(world.settings, world.configuration, "UTC"), NOW)
    with read_only(world.engine) as conn:
        mark = leaving.alerts_mark(conn, [alert_rules.find(conn, "own")], READER)
        return Told(min(alert.id for alert, _ in alert_storage.log(conn)), mark)


def mail_of(world: App) -> str:
    with read_only(world.engine) as conn:
        row = conn.execute(text("SELECT html, text FROM messages")).one()
    return f"{row.html}\n{row.text}"


def said(world: App, told: Told) -> tuple[bool | None, bool]:
    with read_only(world.engine) as conn:
        found = alert_answers.told(conn, told.mark, told.alert_id, NOW)
    return found.useful, found.is_muted


def test_the_mail_links_to_the_page_of_each_alert(world: App, told: Told) -> None:
    mail = mail_of(world)
    for word in ("?say=useful", "?say=not-useful", "?say=mute", ""):
        assert f"%%unsubscribe%%/alert/{told.alert_id}{word}" in mail


def test_what_is_said_of_an_alert_holds_and_get_says_nothing(world: App, local: Browser, told: Told) -> None:
    for say in ("useful", "not-useful", "mute", ""):
        assert "Early Vote Called" in local.get(told.path(world, say)).text
    assert said(world, told) == (None, False)
    for say, expected in (("useful", (True, False)), ("not-useful", (False, False)), ("not-useful", (False, False)),
                          ("mute", (False, True)), ("unmute", (False, False))):
        answer = local.post(told.path(world), data={"say": say})
        assert answer.status_code == 200 and "set-cookie" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"
        assert said(world, told) == expected


def test_a_muted_story_is_told_no_more(world: App, local: Browser, told: Told) -> None:
    with world.engine.begin() as conn:
        alert_rules.add(conn, "second", AlertSpec(query="vote"), READER, NOW)
        alert_rules.edit(conn, "own", {"story": "every-item"}, "operator", NOW)
        story = alert_answers.told(conn, told.mark, told.alert_id, NOW).alert.story_id
    assert local.post(told.path(world), data={"say": "mute"}).status_code == 200
    with world.engine.begin() as conn:
        alert_rules.flag_story(conn, story, NOW)
        before = len(alert_storage.log(conn))
        new = alert_storage.insert_alerts(conn, [alert_storage.NewAlert(
            alert_rules.find(conn, "own").id, 2, story, story, "again", "Vote", ("vote",), (), NOW, NOW)])
        alert_bundles.address(conn, new, NOW)
        assert len(alert_storage.log(conn)) == before + 1
        assert alert_storage.waiting(conn, "mail", READER, NOW) == []


@pytest.mark.parametrize("wrong", ["alert/999", "alert/0", "alert/x", "alert/" + "9" * 40, "alert/-1", "alert/٣"])
def test_an_alert_that_was_not_told_is_not_shown(world: App, local: Browser, told: Told, wrong: str) -> None:
    path = f"{path_of(world, told.mark)}/{wrong}"
    assert local.get(path).status_code == 404 and local.post(path, data={"say": "useful"}).status_code == 404


@pytest.mark.parametrize("token", ["x", "x" * 5000, "IltzLDBdIg.abc"])
def test_forged_links_answer_nothing(world: App, local: Browser, told: Told, token: str) -> None:
    for page in (f"alert/{told.alert_id}", "rule/1"):
        assert local.get(f"/a/{token}/{page}").status_code == 400
        assert local.post(f"/a/{token}/{page}", data={"say": "useful"}).status_code == 400


def test_another_readers_link_answers_nothing(world: App, local: Browser, told: Told) -> None:
    with world.engine.begin() as conn:
        rule = alert_rules.add(conn, "foreign", AlertSpec(query="gas"), "other@example.org", NOW)
    foreign = path_of(world, f"alert:{rule.id}")
    own = told.mark.partition(":")[2]
    for page in (f"alert/{told.alert_id}", f"rule/{own}"):
        assert local.get(f"{foreign}/{page}").status_code == 404
        assert local.post(f"{foreign}/{page}", data={"say": "mute", "query": "oil"}).status_code == 404
    assert said(world, told) == (None, False)


@pytest.mark.parametrize("say", ["", "delete", "useful\n", "useful" * 500])
def test_what_cannot_be_said_changes_nothing(world: App, local: Browser, told: Told, say: str) -> None:
    assert local.post(told.path(world), data={"say": say}).status_code == 422
    assert said(world, told) == (None, False)


def rule_path(world: App, told: Told) -> str:
    return f"{path_of(world, told.mark)}/rule/{told.mark.partition(':')[2]}"


def test_a_reader_changes_their_rule_and_versions_are_kept(world: App, local: Browser, told: Told) -> None:
    path = rule_path(world, told)
    assert path.removeprefix(path_of(world, told.mark)) in local.get(path_of(world, told.mark)).text
    shown = local.get(path)
    assert 'value="vote OR grain"' in shown.text and "2 alerts" in shown.text
    answer = local.post(path, data={
        "whole": "1", "query": "wheat", "cadence": "daily", "hour": "08:30", "zone": "Asia/Almaty", "story": "develops",
        "quiet_from": "22:00", "quiet_to": "07:00", "ceiling": "5", "paused": "yes"})
    assert answer.status_code == 200 and 'value="wheat"' in answer.text
    with read_only(world.engine) as conn:
        rule = alert_rules.find(conn, "own")
        versions = storage.versions_of(conn, rule.id)
    assert (rule.version, rule.state, rule.query, rule.since) == (2, "paused", "wheat", NOW)
    assert rule.spec == AlertSpec(query="wheat", cadence="daily", hour="08:30", zone="Asia/Almaty", story="develops",
                                  quiet={"start": "22:00", "end": "07:00"}, ceiling=5)
    assert [(one.number, one.author) for one in versions] == [(2, "reader"), (1, "operator")]
    assert local.post(path, data={"query": "wheat"}).status_code == 200  # what a form leaves out stays
    with read_only(world.engine) as conn:
        rule = alert_rules.find(conn, "own")
    assert (rule.version, rule.state, rule.spec.ceiling) == (2, "active", 5) and rule.spec.quiet
    assert local.post(path, data={"whole": "1", "query": "wheat"}).status_code == 200
    with read_only(world.engine) as conn:
        assert alert_rules.find(conn, "own").spec.quiet is None


@pytest.mark.parametrize(("changes", "told_of"), [
    ({"query": "gas OR OR oil"}, "character 8"), ({"query": "-gas"}, "NOT"), ({"query": "", "whole": "1"}, ""),
    ({"query": "(" * 1000}, "deep"), ({"cadence": "weekly"}, "cadence"), ({"hour": "25:00"}, "time of day"),
    ({"zone": "Mars/Base"}, "time zone"), ({"story": "never"}, "story"), ({"ceiling": "-1"}, "ceiling"),
    ({"ceiling": "many"}, "ceiling"), ({"quiet_from": "22:00", "whole": "1"}, "quiet"),
    ({"quiet_from": "22:00", "quiet_to": "22:00", "whole": "1"}, "same time"), ({"query": "@nobody-knows"}, "nobody"),
    ({"query": "<script>alert(1)</script> OR OR"}, "&lt;script&gt;"),
])
def test_a_rule_that_cannot_be_is_refused_with_its_reason(
    world: App, local: Browser, told: Told, changes: dict[str, str], told_of: str
) -> None:
    answer = local.post(rule_path(world, told), data={"query": "vote", **changes})
    assert answer.status_code == 422 and "Nothing was changed" in answer.text and told_of in answer.text
    assert "<script>" not in answer.text
    with read_only(world.engine) as conn:
        assert alert_rules.find(conn, "own").version == 1


def test_rules_of_the_desk_are_stopped_with_a_link_and_not_changed(world: App, local: Browser) -> None:
    with world.engine.begin() as conn:
        rule = alert_rules.add(conn, "desk", AlertSpec(query="gas"), None, NOW, to=(READER,))
        mark = leaving.alerts_mark(conn, [rule], READER)
    assert "/rule/" not in local.get(path_of(world, mark)).text
    assert local.post(f"{path_of(world, mark)}/rule/{rule.id}", data={"query": "oil"}).status_code == 404


def test_the_feed_of_a_rule_is_asked_for_at_its_address(world: App, local: Browser, told: Told) -> None:
    with world.engine.begin() as conn:
        channel, _ = alert_channels.add(conn, "own", FEED, "", NOW)
    path = f"/alerts/feed/{channel.target}.atom"
    answer = local.get(path)
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("application/atom+xml")
    assert "Early Vote Called" in answer.text
    assert local.get(path, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    assert local.get(f"/alerts/feed/{channel.target}x.atom").status_code == 404
