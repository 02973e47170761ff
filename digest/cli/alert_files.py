"""`digest alerts export` and `import`: rules as a document of config/alerts/, to keep, to share or to hand over."""

from pathlib import Path

import click
import tomlkit

from digest.alert_rules import DESK, MAIL, AlertRule, AlertsDocument
from digest.app import App
from digest.cli import with_app
from digest.documents import read_document
from digest.services import alert_rules as service
from digest.storage import alert_rules as storage
from digest.storage.engine import read_only


@click.command()
@click.argument("names", nargs=-1)
@with_app
def export(app: App, names: tuple[str, ...]) -> None:
    """Print rules (all, or those of NAMES) as a document that `digest alerts import` and config/alerts/ read."""
    with read_only(app.engine) as conn:
        rules = [service.find(conn, name) for name in names] or storage.rules(conn, "active", "paused")
        channels = storage.channels_of(conn, [rule.id for rule in rules], "active")
    document = tomlkit.document()
    entries = tomlkit.aot()
    for rule in rules:
        entries.append(_entry(rule, [one.target for one in channels.get(rule.id, ()) if one.kind == MAIL]))
    document["alerts"] = entries
    click.echo(tomlkit.dumps(document), nl=False)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--desk", is_flag=True, help="Rules are the desk's; without it the first address of each owns it.")
@with_app
def import_rules(app: App, file: Path, desk: bool) -> None:
    """Add the rules of FILE, and change those whose names there are already.

    With this command you state that the addresses in FILE agreed to get these alerts.
    """
    entries = read_document(str(file), file.read_text(encoding="utf-8"), AlertsDocument).alerts
    now, done = app.clock.now(), {"added": 0, "changed": 0, "unchanged": 0}
    with app.engine.begin() as conn:
        for entry in entries:
            if not entry.to:
                raise click.ClickException(f"{file}: alert {entry.name!r} has nobody to go to; give it `to`")
            done[service.import_entry(conn, entry, now, desk=desk)] += 1
    click.echo(", ".join(f"{number} {what}" for what, number in done.items()))


def _entry(rule: AlertRule, targets: list[str]) -> tomlkit.items.Table:
    entry = tomlkit.table()
    entry["name"] = rule.name
    values = rule.spec.model_dump(mode="json", exclude_defaults=True)
    for key, value in values.items():
        if isinstance(value, dict):
            nested = tomlkit.inline_table()
            nested.update({name: _clock(one) for name, one in value.items()})
            entry[key] = nested
        else:
            entry[key] = _clock(value) if key == "hour" else value
    entry["to"] = targets
    if rule.owner_name == DESK:
        entry.comment("the desk's")
    return entry


def _clock(value: object) -> object:
    """A time of day without its seconds."""
    return value[:5] if isinstance(value, str) and len(value) == 8 and value[2] == value[5] == ":" else value
