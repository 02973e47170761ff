"""Editions to look at and to check: the demo's as it is mailed, in each language, and replays of recorded archives."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

from digest.locale import LANGUAGES
from digest.mail.dkim import Key
from digest.model import UNSUBSCRIBE_MARK, Message
from digest.pipeline.render import DEFAULT_BASE, Renderer
from digest.pipeline.variants import Variant, render, shown
from digest.pipeline.view import EditionView, SectionView, ThemeView, from_json
from digest.ports import Envelope
from digest.resources import template_texts
from digest.services import envelopes, leaving
from digest.settings import MailSettings, Settings, SiteSettings
from digest.tokens import Signer

ROOT = Path(__file__).resolve().parent.parent
ARCHIVES = Path(os.environ.get("DIGEST_TEST_DATA", ROOT.parent / "shared" / "data")) / "timeseries"
FROM_DOMAIN, BOUNCE_DOMAIN = "news.example.org", "bounce.news.example.org"
SETTINGS = Settings(site=SiteSettings(url=f"https://{FROM_DOMAIN}", postal_address="1 Example Street, Almaty"),
                    mail=MailSettings(bounce_domain=BOUNCE_DOMAIN))
PERSONAL = re.compile(r"https?://[^\s\"'<>]+/[ua]/[\w.-]+")
DAYS = 3  # of a replay that are taken: the first, the heaviest, the last
SECONDS = 600  # that a demo or a replay may take


@dataclass(frozen=True, slots=True)
class Sample:
    """One mail, as its first reader gets it. `view` is None where it is no edition."""

    name: str
    view: EditionView | None
    eml: bytes

    @property
    def html(self) -> str:
        """The HTML part with its personal marks filled."""
        return self.part("html")

    def part(self, subtype: str) -> str:
        """The text of the part "html" or "plain"; "" where there is none."""
        part = message_from_bytes(self.eml, policy=policy.default).get_body((subtype,))
        return str(part.get_content()) if part else ""

    def sent(self, keys: Sequence[Key]) -> Envelope:
        """The mail as an instance with a site of its own and these keys would hand it over now."""
        mail = message_from_bytes(self.eml, policy=policy.default)
        html, text = (PERSONAL.sub(UNSUBSCRIBE_MARK, self.part(subtype)).replace(DEFAULT_BASE, SETTINGS.site.url)
                      for subtype in ("html", "plain"))
        message = Message(mail["Subject"], html, text, {"Content-Language": mail["Content-Language"] or "en"})
        name, slug = (self.view.name, self.view.newsletter) if self.view else (SETTINGS.site.name, "alerts")
        now = datetime.now(UTC)
        return envelopes.envelope(
            envelopes.draft(message, target="reader@example.net", settings=SETTINGS, now=now,
                             subject=f"edition:{slug}/{now:%Y-%m-%d}", unsubscribe="subscription:1"),
            leaving.Standing("", slug, name), settings=SETTINGS, signer=Signer(bytes(32)), now=now, keys=keys)


def demo(folder: Path) -> Sample:
    """The edition of `digest demo`, run in `folder`."""
    _digest("demo", cwd=folder)
    root = folder / "var" / "demo"
    view = from_json((root / "edition.json").read_text(encoding="utf-8"))
    return Sample("demo", view, (root / "edition.eml").read_bytes())


def alerts(folder: Path) -> Iterator[Sample]:
    """The keyword alerts that the demo in `folder` mailed."""
    for path in sorted((folder / "var" / "demo" / "outbox").glob("*.eml")):
        mail = path.read_bytes()
        if b"\nTo: analyst@" in mail:
            yield Sample("alert", None, mail)


def in_languages(sample: Sample) -> Iterator[Sample]:
    """The sample's edition with the interface in each other language, and in one from right to left."""
    assert sample.view is not None
    for language in (*LANGUAGES, "fa"):
        if language != sample.view.language:
            yield mailed(f"{sample.name} in {language}", replace(sample.view, language=language))


def variants(sample: Sample) -> Iterator[Sample]:
    """The sample's edition as readers get it who were paused, or who chose another interface and hide a section."""
    assert sample.view is not None
    view = replace(sample.view, site_url=SETTINGS.site.url, postal_address=SETTINGS.site.postal_address)
    missed = replace(view, date="2026-01-31", lead=None, sections=(
        SectionView("latest", "latest", "Latest", view.rest[:10]),), rest=())
    for variant in (Variant(missed=(missed.date,)),
                    Variant(language="ru", hidden=(view.sections[0].key,), missed=(missed.date,))):
        message = render(view, variant, Renderer(template_texts(None)), [missed])
        assert message is not None
        yield mailed(f"{sample.name}, {variant.name}", shown(view, variant), message)


def dressed(sample: Sample) -> Iterator[Sample]:
    """The sample's edition with everything that an edition may have beside, and one without stories."""
    view = sample.view
    assert view is not None and view.lead is not None
    site = SETTINGS.site.url
    lead = replace(view.lead, note="A note of the editor.", whats_new="The cost is known now.", developing=True,
                   original_headline="As its source wrote it")
    yield mailed("dressed up", replace(
        view, period="weekly", lead=lead, notice="A short edition: few stories were new.", trimmed=12,
        missing_sources=("Radio One",), theme=ThemeView("#0b5c66", "#7fd0dc", "sans", f"{site}/logo.png")))
    yield mailed("empty", replace(view, lead=None, sections=(), rest=(), subject=view.name, preheader="",
                                  empty_reason="no item of its feeds is new"))


def replays(folder: Path) -> Iterator[Sample]:
    """Some days of each recorded archive, replayed into `folder`; nothing where there are none."""
    archives = sorted(path for path in ARCHIVES.iterdir() if path.is_dir()) if ARCHIVES.is_dir() else []
    running = [(archive, _start("replay", str(archive), "--out", str(folder / archive.name))) for archive in archives]
    for archive, process in running:
        if process.wait(SECONDS):
            raise SystemExit(f"digest replay {archive.name} failed")
        days = sorted(path.parent for path in (folder / archive.name).glob("*/edition.html"))
        heaviest = sorted(days, key=lambda day: (day / "edition.html").stat().st_size)[-1:]
        for day in sorted({*days[:1], *heaviest, *days[-1:]})[:DAYS]:
            view = from_json((day / "edition.json").read_text(encoding="utf-8"))
            yield mailed(f"{archive.name} {day.name}", view)


def mailed(name: str, view: EditionView, message: Message | None = None) -> Sample:
    """A view as the mail of an instance that has a site; with the message of a variant, where that is another."""
    site = SETTINGS.site
    view = replace(view, site_url=site.url, postal_address=site.postal_address)
    at = datetime.fromisoformat(view.cutoff)
    message = message or Renderer(template_texts(None)).message(view)
    draft = envelopes.draft(message, target="reader@example.org", settings=SETTINGS, now=at)
    standing = leaving.Standing(leaving.signed_up(view.name, view.language), view.newsletter, view.name)
    return Sample(name, view, envelopes.envelope(
        draft, standing, settings=SETTINGS, signer=Signer(bytes(32)), now=at).data)


def _digest(*arguments: str, cwd: Path) -> None:
    if _start(*arguments, cwd=cwd).wait(SECONDS):
        raise SystemExit(f"digest {' '.join(arguments)} failed")


def _start(*arguments: str, cwd: Path | None = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "digest", *arguments], cwd=cwd, stdout=subprocess.DEVNULL,
                            env={**os.environ, "PYTHONPATH": str(ROOT)})
