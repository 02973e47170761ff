"""What `digest alerts add` and `digest alerts edit` can say of a rule, and how it is shown."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import click
from pydantic import ValidationError

from digest.alert_rules import AlertSpec, Cadence, StoryPolicy, alert_mistake, changes
from digest.documents import Configuration
from digest.mistakes import in_one_line

NOTHING = {"", "none", "all"}  # takes a setting back

_LISTS = {"regions": "region", "newsletters": "newsletter", "sources": "source", "languages": "language"}


class Span(click.ParamType[Any]):
    """Quiet hours, HH:MM-HH:MM."""

    name = "HH:MM-HH:MM"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple) or value in NOTHING:
            return value
        found = re.fullmatch(r"(\d\d:\d\d)\s*[-–]\s*(\d\d:\d\d)", value)
        if not found:
            self.fail(f"{value!r} is no span such as 22:00-07:00", param, ctx)
        return found.groups()


_OPTIONS = (
    click.option("--region", multiple=True, help="Only items of this region; may stand several times."),
    click.option("--newsletter", multiple=True, help="Only items offered to this newsletter."),
    click.option("--source", multiple=True, help="Only items of this source."),
    click.option("--language", multiple=True, help="Only items in this language."),
    click.option("--cadence", type=click.Choice([one.value for one in Cadence]), help="When it is told.  [now]"),
    click.option("--hour", metavar="HH:MM", help="Of the daily bundle.  [07:00]"),
    click.option("--zone", help="IANA name.  [the instance's]"),
    click.option("--quiet", type=Span(), metavar="HH:MM-HH:MM", help="Hours in which it is held; none to end them."),
    click.option("--quiet-pass", "passes", metavar="QUERY", help="Stories that are told in quiet hours all the same."),
    click.option("--cool-down", "cool_down_minutes", type=int, metavar="MINUTES", help="Least time between bundles."),
    click.option("--ceiling", type=int, metavar="N", help="Most alerts told at once a day; 0 for no ceiling.  [50]"),
    click.option("--story", type=click.Choice([one.value for one in StoryPolicy]),
                 help="How often it may tell of one story.  [once]"),
    click.option("--families", type=int, metavar="N", help="So many more owners make a story develop.  [3]"),
)


def policy_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that set what a rule says beside its query."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def values_of(options: Mapping[str, Any], before: AlertSpec | None = None) -> dict[str, Any]:
    """What was given on the command line, by the keys of a rule; what was not given is left out."""
    found: dict[str, Any] = {key: value for key, value in options.items()
                             if value is not None and key in AlertSpec.model_fields and key != "quiet"}
    for key, option in _LISTS.items():
        if given := options.get(option):
            found[key] = tuple(one for one in given if one not in NOTHING)
    found |= _quiet(options, before)
    return found


def _quiet(options: Mapping[str, Any], before: AlertSpec | None) -> dict[str, Any]:
    quiet, passes = options.get("quiet"), options.get("passes")
    if quiet is None and passes is None:
        return {}
    if quiet in NOTHING:
        return {"quiet": None}
    known = before.quiet.model_dump() if before and before.quiet else {}
    if quiet is None and not known:
        raise click.UsageError("--quiet-pass needs --quiet HH:MM-HH:MM")
    span = {"start": quiet[0], "end": quiet[1]} if quiet else {}
    return {"quiet": {**known, **span, **({} if passes is None else {"passes": passes})}}


def checked(configuration: Configuration, values: Mapping[str, Any]) -> AlertSpec:
    """The rule that values make; what is wrong is told with its key."""
    try:
        spec = AlertSpec.model_validate(values)
    except ValidationError as error:
        raise click.UsageError(in_one_line(error)) from error
    if wrong := alert_mistake(spec, configuration.names, configuration.newsletters, configuration.sources):
        key, message, hint = wrong
        raise click.UsageError(f"{key}: {message}" + (f" ({hint})" if hint else ""))
    return spec


def in_words(spec: AlertSpec) -> list[tuple[str, str]]:
    """What a rule says beside its query where that is not the default, as (key, value)."""
    plain = AlertSpec(query=spec.query)
    return [(key, _shown(new)) for key, (_, new) in changes(plain, spec).items()]


def difference(old: AlertSpec, new: AlertSpec) -> list[str]:
    """What a version changed, one line a key."""
    return [f"{key}: {_shown(before) or 'none'} → {_shown(after) or 'none'}"
            for key, (before, after) in changes(old, new).items()]


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ", ".join(value)
    if hasattr(value, "start"):
        return f"{value.start:%H:%M}-{value.end:%H:%M}" + (f", passes: {value.passes}" if value.passes else "")
    return value.strftime("%H:%M") if hasattr(value, "strftime") else str(getattr(value, "value", value))

