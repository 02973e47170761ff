"""`digest lint`: what is wrong with an edition as it would be mailed."""

import sys
from datetime import date as Date

import click
from rich.console import Console
from rich.markup import escape

from digest.app import App
from digest.cli import with_app
from digest.errors import NotFound
from digest.model import Period
from digest.pipeline.lint import Finding, errors_of
from digest.resources import template_texts
from digest.services import editions, newsletters
from digest.services.lint import check
from digest.storage.engine import read_only

COLOURS = {"error": "red", "warning": "yellow"}


@click.command()
@click.argument("edition", metavar="EDITION|NEWSLETTER")
@with_app
def lint(app: App, edition: str) -> None:
    """Check an edition before it goes: size, links, languages, contrast, both parts; exit code 1 on errors.

    EDITION is NEWSLETTER/YYYY-MM-DD or NEWSLETTER/YYYY-MM-DD/weekly; a NEWSLETTER alone checks today's edition as it
    would be built now. Errors hold an edition back from approval, warnings do not.
    """
    slug, date, period = read_name(edition)
    chosen = newsletters.chosen(app.configuration, slug)
    with read_only(app.engine) as conn:
        shown = editions.preview(conn, app.configuration, chosen, app.settings, template_texts(app.instance.templates),
                                 now=app.clock.now(), date=date, period=period)
    findings = check(shown.view, editions.renderer_of(shown.templates, app.settings), chosen, app.settings)
    print_findings(Console(), findings)
    if errors_of(findings):
        sys.exit(1)


def read_name(text: str) -> tuple[str, Date | None, Period]:
    """The newsletter, day (None: today) and period that "kazakhstan/2023-03-19/weekly" names. Raises NotFound."""
    slug, _, rest = text.partition("/")
    day, _, period = rest.partition("/")
    try:
        return slug, Date.fromisoformat(day) if day else None, Period(period or "daily")
    except ValueError:
        raise NotFound("edition", text, hint="write NEWSLETTER/YYYY-MM-DD or NEWSLETTER/YYYY-MM-DD/weekly") from None


def print_findings(console: Console, findings: tuple[Finding, ...]) -> None:
    """A line a finding, and how many there are."""
    for finding in findings:
        colour = COLOURS[finding.level]
        console.print(f"[{colour}]{finding.level}[/] [bold]{finding.code}[/] {escape(finding.message)} "
                      f"[dim]({escape(finding.where)})[/]", soft_wrap=True)
    errors = len(errors_of(findings))
    console.print(f"Checked: errors {errors}, warnings {len(findings) - errors}.")
