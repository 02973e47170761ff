"""The gate before approval: what is wrong with an edition as it would be mailed."""

from collections.abc import Sequence

from digest.documents import Newsletter
from digest.pipeline.lint import Finding, errors_of, lint
from digest.pipeline.render import Renderer
from digest.pipeline.view import EditionView
from digest.services import envelopes
from digest.settings import Settings

TOLD = 3  # findings that a reason names


def check(view: EditionView, renderer: Renderer, newsletter: Newsletter, settings: Settings) -> tuple[Finding, ...]:
    """The findings of a view's message, errors first; () where it is good. Errors hold the edition."""
    message = renderer.message(view)
    return lint(view, message.html, message.text, newsletter, base=envelopes.base_url(settings),
                sends=bool(settings.smtp.by_name))


def reason_to_hold(findings: Sequence[Finding]) -> str | None:
    """Why an edition may not be approved, on one line; None where nothing holds it."""
    errors = errors_of(tuple(findings))
    if not errors:
        return None
    told = "; ".join(f"{finding.code}: {finding.message} ({finding.where})" for finding in errors[:TOLD])
    more = f"; and {len(errors) - TOLD} more" if len(errors) > TOLD else ""
    return f"{len(errors)} error{'s' if len(errors) > 1 else ''} found by digest lint: {told}{more}"
