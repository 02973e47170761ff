"""Rules of the desk from documents, changes as versions, import, and who may be told."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.alert_rules import AlertEntry, AlertRule, AlertSpec, alert_mistake
from digest.documents import read_configuration
from digest.errors import ConfigError, NotFound, RuleInDocument
from digest.services import alert_rules, alert_standings, config
from digest.settings import Instance
from digest.storage import alert_rules as storage
from digest.storage.engine import read_only
from digest.text.names import NO_NAMES
from tests.services.alert_worlds import ANA, DAY, HOUR, World
from tests.storage.worlds import NOON, a_feed

DOCUMENT = '[[alerts]]\nname = "gas"\nquery = "gas"\nto = ["ana@example.org", "bek@example.org"]\n'


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    (tmp_path / "config" / "alerts").mkdir(parents=True)
    return Instance(tmp_path)


def write(instance: Instance, text: str) -> None:
    (instance.config / "alerts" / "desk.toml").write_text(text)


def active(engine: Engine) -> dict[str, AlertRule]:
    with read_only(engine) as conn:
        return {rule.name: rule for rule in storage.rules(conn, "active", "paused")}


def test_documents_make_change_and_remove_rules_of_the_desk(engine: Engine, instance: Instance) -> None:
    write(instance, DOCUMENT)
    config.sync(engine, instance, NOON)
    rule = active(engine)["gas"]
    assert (rule.owner, rule.origin, rule.version, rule.since) == (None, "alerts/desk.toml", 1, NOON)
    with engine.begin() as conn:
        ana, _ = storage.channels_of(conn, [rule.id])[rule.id]
        storage.stop_channel(conn, ana.id)
        with pytest.raises(RuleInDocument, match="desk"):
            alert_rules.remove(conn, "gas")
    write(instance, DOCUMENT.replace("bek", "dana") + 'story = "develops"\n')
    config.sync(engine, instance, NOON + HOUR)
    changed = active(engine)["gas"]
    assert (changed.id, changed.version, changed.since, changed.spec.story) == (rule.id, 2, NOON, "develops")
    with read_only(engine) as conn:
        found = {one.target: one.state for one in storage.channels_of(conn, [rule.id])[rule.id]}
    assert found == {"ana@example.org": "stopped", "dana@example.org": "active"}
    write(instance, "")
    config.sync(engine, instance, NOON + DAY)
    assert active(engine) == {}


def test_syncing_documents_again_changes_nothing(engine: Engine, instance: Instance) -> None:
    write(instance, DOCUMENT)
    first = config.sync(engine, instance, NOON)
    before = active(engine)
    with engine.begin() as conn:
        done = alert_rules.mirror(conn, first.alerts, 1, NOON + HOUR)
    assert (done, active(engine)) == (alert_rules.Mirrored(), before)


def test_a_rule_made_by_hand_is_not_overrun_by_a_document(engine: Engine, instance: Instance) -> None:
    with engine.begin() as conn:
        alert_rules.add(conn, "gas", AlertSpec(query="gas"), ANA, NOON)
    write(instance, DOCUMENT)
    with pytest.raises(ConfigError, match="another alert rule is called 'gas'"):
        config.sync(engine, instance, NOON)
    assert active(engine)["gas"].owner is not None


@pytest.mark.parametrize(("text", "line", "message"), [
    ('[[alerts]]\nname = "a"\nquery = "gas OR"\n', 3, "expected"),
    ('[[alerts]]\nname = "a"\nquery = "@nobody-there"\n', 3, "nobody-there"),
    ('[[alerts]]\nname = "a"\nquery = "gas"\nsources = ["nowhere"]\n', 4, "there is no 'nowhere' among the sources"),
    ('[[alerts]]\nname = "a"\nquery = "gas"\n[[alerts]]\nname = "a"\nquery = "oil"\n', 5, "stands twice"),
    ('[[alerts]]\nname = "a"\nquery = "gas"\nto = ["nobody"]\n', 4, "pattern"),
    ('[[alerts]]\nname = "a"\nquery = "gas"\nhour = 7\n', 4, "time of day"),
    ('[[alerts]]\nname = "a"\nquery = "gas"\nzone = "Astana"\n', 4, "IANA"),
    ('[[alerts]]\nname = "a"\nquery = "gas"\nquiet = {start = "22:00", end = "22:00"}\n', 4, "same time"),
    ('[[alerts]]\nname = "a"\nquery = "gas"\ncadence = "weekly"\n', 4, "'hourly'"),
])
def test_a_wrong_document_is_refused_at_its_line(text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read_configuration({"alerts/desk.toml": text})
    assert caught.value.line == line


def test_what_a_rule_names_must_be_there() -> None:
    assert alert_mistake(AlertSpec(query="gas", sources=("post",)), NO_NAMES, (), ("post",)) is None
    assert alert_mistake(AlertSpec(query="gas", newsletters=("kazakstan",)), NO_NAMES, ("kazakhstan",), ()) == (
        "newsletters", "there is no 'kazakstan' among the newsletters", "did you mean 'kazakhstan'?")


def test_importing_adds_changes_and_leaves_alone(engine: Engine) -> None:
    entry = AlertEntry(name="gas", query="gas", to=(ANA, "bek@example.org"))
    with engine.begin() as conn:
        assert alert_rules.import_entry(conn, entry, NOON) == "added"
        assert alert_rules.import_entry(conn, entry, NOON) == "unchanged"
        other = entry.model_copy(update={"query": "oil"})
        assert alert_rules.import_entry(conn, other, NOON + HOUR) == "changed"
        rule = alert_rules.find(conn, "gas")
        assert (rule.owner_name, rule.query, rule.version, rule.since) == (ANA, "oil", 2, NOON + HOUR)
        with pytest.raises(NotFound, match="gas"):
            alert_rules.find(conn, "oil")


def test_an_edit_that_changes_nothing_is_no_version(engine: Engine) -> None:
    with engine.begin() as conn:
        alert_rules.add(conn, "gas", AlertSpec(query="gas"), ANA, NOON)
        assert alert_rules.edit(conn, "gas", {"ceiling": 50}, "operator", NOON).version == 1
        assert alert_rules.edit(conn, "gas", {"ceiling": 5}, "operator", NOON).version == 2
        resumed = alert_rules.pause(conn, "gas", NOON), alert_rules.resume(conn, "gas", NOON + HOUR)
        assert [rule.state for rule in resumed] == ["paused", "active"] and resumed[1].since == NOON + HOUR


def test_a_rule_that_is_silent_for_long_says_so_with_the_feeds_beside_it(sqlite_engine: Engine) -> None:
    world = World(sqlite_engine)
    rule = world.rule("gas", "gas", ceiling=0)
    for _ in range(4):
        world.arrive("Gas prices rise")
        world.fire(2 * DAY)
    feeds = (a_feed("Steppe Post"), a_feed("Nowhere Times"))
    with read_only(sqlite_engine) as conn:
        [soon] = alert_standings.of_rules(conn, [rule], feeds, world.now + 4 * DAY)
        [late] = alert_standings.of_rules(conn, [rule], feeds[:1], world.now + 5 * DAY)
    assert (soon.is_silent, soon.usual_gap_days, soon.silent_days) == (False, 2.0, 6)
    assert soon.counts is not None and (soon.counts.alerts, soon.counts.stories) == (4, 4)
    assert (late.is_silent, late.silent_days, late.feeds_well + len(late.feeds_in_trouble)) == (True, 7, 1)
