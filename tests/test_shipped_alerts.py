"""The shipped config/alerts/: every key of a rule is there with its default, and the example can be taken as it is."""

import tomllib

from digest.alert_rules import AlertEntry, AlertsDocument
from digest.resources import packaged_config_dir

TEXT = (packaged_config_dir() / "alerts" / "desk.toml").read_text(encoding="utf-8")


def test_the_example_holds_every_key_and_changes_only_what_an_example_must() -> None:
    assert tomllib.loads(TEXT) == {}
    intro, example = TEXT.split("# [[alerts]]", 1)
    written = tomllib.loads(("# [[alerts]]" + example).replace("# ", "", 1).replace("\n# ", "\n"))
    (entry,) = AlertsDocument.model_validate(written).alerts
    assert written["alerts"][0].keys() == AlertEntry.model_fields.keys()
    plain = AlertEntry(name=entry.name, query=entry.query)
    assert {key for key in AlertEntry.model_fields if getattr(entry, key) != getattr(plain, key)} == {"to", "quiet"}
    assert "docs/analyst.md" in intro
