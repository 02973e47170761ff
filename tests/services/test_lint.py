"""The gate: what it checks is what would be mailed, and what it says fits one line."""

from dataclasses import replace

from digest.documents import Newsletter
from digest.pipeline.lint import Finding
from digest.pipeline.render import Renderer
from digest.resources import template_texts
from digest.services.lint import check, reason_to_hold
from digest.settings import Settings, SiteSettings, SmtpSettings
from tests.pipeline import views

NEWSLETTER = Newsletter(slug="kazakhstan", name="Kazakhstan News", region="Kazakhstan", regions=("Kazakhstan",))
REAL = Settings(site=SiteSettings(url="https://news.example.org"), smtp=SmtpSettings(host="smtp.example.org"))


def test_a_good_edition_passes_with_and_without_a_site() -> None:
    templates = template_texts(None)
    assert check(views.EDITION, Renderer(templates), NEWSLETTER, REAL) == ()
    local = replace(views.EDITION, site_url="")
    assert check(local, Renderer(templates, base="http://localhost:8080"), NEWSLETTER, Settings()) == ()


def test_a_real_mail_without_postal_address_is_warned_of_but_not_held() -> None:
    findings = check(replace(views.EDITION, postal_address=""), Renderer(template_texts(None)), NEWSLETTER, REAL)
    assert [finding.code for finding in findings] == ["postal-address"]
    assert reason_to_hold(findings) is None


def test_a_template_of_an_editor_that_breaks_the_mail_holds_it() -> None:
    templates = template_texts(None)
    templates["email/edition.css"] += "\n.text { color: #bbbbbb; }\n"
    findings = check(views.EDITION, Renderer(templates), NEWSLETTER, REAL)
    assert {finding.code for finding in findings} == {"contrast"}
    assert (reason_to_hold(findings) or "").startswith("1 error found by digest lint: contrast: #bbbbbb on ")


def test_the_reason_names_three_errors_and_counts_the_rest() -> None:
    errors = [Finding("error", f"code-{n}", "wrong", "html") for n in range(5)]
    reason = reason_to_hold([*errors, Finding("warning", "typo", "odd", "tagline")]) or ""
    assert reason.startswith("5 errors") and reason.endswith("code-2: wrong (html); and 2 more")
