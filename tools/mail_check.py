"""Holds rendered editions against what mailboxes and people need: make mail-check.

    demo, its languages, replays ─▶ vnu, axe, caniemail, digest lint, SpamAssassin, rspamd ─▶ a table; exit code 1 on a
    failure

What each checker must say is in docs/mail.md.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from digest.documents import Newsletter
from digest.pipeline.render import DEFAULT_BASE, Renderer
from digest.resources import template_texts
from digest.services.lint import check
from digest.settings import Settings
from tools.rspamd import PASSES, rspamd
from tools.samples import (
    ARCHIVES,
    BOUNCE_DOMAIN,
    FROM_DOMAIN,
    SETTINGS,
    Sample,
    alerts,
    demo,
    dressed,
    in_languages,
    replays,
    variants,
)

NPM = Path(__file__).resolve().parent / "mail-check"
VNU = NPM / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
ALLOWED = NPM / "caniemail-allowed.json"
OBSOLETE = re.compile(r"attribute on the “(?:table|td|tr)” element is obsolete")
GRAVE = frozenset({"serious", "critical"})
MAX_SPAM = 1.0  # points of SpamAssassin; 5 are spam
MAX_RSPAMD = 0.0  # points of rspamd; 15 are spam
MAX_ALLOWED = 15
REQUIRE_ALL = os.environ.get("DIGEST_REQUIRE_ALL") == "1"

BROKEN = """\
From: news@example.org
To: reader@example.org
Subject: Broken on purpose
MIME-Version: 1.0
Content-Type: text/html; charset=utf-8

<!DOCTYPE html><html lang="en"><head><title>Broken</title></head><body>
<p style="color: #ccc; display: grid">Faint<h2></p>
XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X</body></html>
"""  # the last line is what any spam filter must take for spam

Files = Sequence[tuple[Sample, Path]]  # a sample with the file of its HTML
Faults = dict[str, list[str]]  # name of a sample -> what a checker found in it


def main() -> None:
    start = time.monotonic()
    console = Console(width=None if sys.stdout.isatty() else 120)
    if REQUIRE_ALL and not ARCHIVES.is_dir():
        raise SystemExit(f"no recorded archives at {ARCHIVES}: set DIGEST_TEST_DATA")
    with tempfile.TemporaryDirectory(prefix="mail-check-") as name:
        folder = Path(name)
        first = demo(folder)
        _wake(folder, replace(first, name="broken", eml=BROKEN.encode()))
        samples = [first, *alerts(folder), *in_languages(first), *variants(first), *dressed(first), *replays(folder)]
        results = {title: checker(_written(samples, folder)) for title, checker in CHECKERS.items()}
    failed = _report(console, samples, results)
    if not ARCHIVES.is_dir():
        console.print(f"Replays skipped: no recorded archives at {ARCHIVES}; set DIGEST_TEST_DATA")
    total = len(samples) * len(CHECKERS)
    console.print(f"{total - failed} passed, {failed} failed in {time.monotonic() - start:.0f} s")
    sys.exit(1 if failed else 0)


def validity(files: Files) -> Faults:
    """Errors of the HTML validator, obsolete attributes of layout tables aside."""
    done = subprocess.run(
        ["java", "-jar", str(VNU), "--errors-only", "--format", "json", *(str(path) for _, path in files)],
        capture_output=True, text=True)
    names = {path.name: sample.name for sample, path in files}
    faults: Faults = {}
    for message in json.loads(done.stderr)["messages"]:
        if not OBSOLETE.search(message["message"]):
            name = names[message["url"].rpartition("/")[2]]
            faults.setdefault(name, []).append(f"line {message.get('lastLine')}: {message['message']}")
    return faults


def accessibility(files: Files) -> Faults:
    """Serious and critical findings of axe in Chromium at 375 and 600 pixels, light and dark."""
    names = {str(path): sample.name for sample, path in files}
    faults: Faults = {}
    for result in _node("axe.mjs", files):
        for found in result["violations"]:
            if found["impact"] in GRAVE:
                where = f"{result['width']} px, {result['scheme']}"
                faults.setdefault(names[result["file"]], []).append(
                    f"{found['id']} ({found['impact']}) at {where}: {found['nodes'][0][:160]}")
    return faults


def support(files: Files) -> Faults:
    """Features that Gmail, Outlook, Apple Mail or Yahoo lack, and for which docs/mail.md has no fallback."""
    allowed = {entry["feature"] for entry in json.loads(ALLOWED.read_text(encoding="utf-8"))}
    if len(allowed) > MAX_ALLOWED:
        raise SystemExit(f"{ALLOWED.name} holds {len(allowed)} features: at most {MAX_ALLOWED}")
    names = {str(path): sample.name for sample, path in files}
    faults: Faults = {}
    for result in _node("caniemail.mjs", files):
        for feature, clients in result["unsupported"].items():
            if feature not in allowed:
                faults.setdefault(names[result["file"]], []).append(f"{feature}: not in {', '.join(clients)}")
    return faults


def own_rules(files: Files) -> Faults:
    """Errors of digest lint."""
    faults: Faults = {}
    for sample, _ in files:
        if (view := sample.view) is None:
            continue
        newsletter = Newsletter(slug=view.newsletter, name=view.name, region=view.region, regions=(view.region,))
        renderer = Renderer(template_texts(None), base=DEFAULT_BASE)
        settings = SETTINGS if view.site_url else Settings()
        faults[sample.name] = [
            f"{found.code}: {found.message} ({found.where})"
            for found in check(view, renderer, newsletter, settings) if found.level == "error"]
    return faults


def spam(files: Files) -> Faults:
    """Points of SpamAssassin's own rules (no network) over the bytes of the mail."""
    faults: Faults = {}
    with tempfile.TemporaryDirectory(prefix="spamassassin-") as home:
        for sample, _ in files:
            done = subprocess.run(["spamassassin", "-L", "-t"], input=sample.eml, capture_output=True, check=True,
                                  env={**os.environ, "HOME": home})
            report = done.stdout.decode("utf-8", "replace")
            points = re.search(r"Content analysis details:\s+\((-?[\d.]+) points", report)
            if points is None:
                raise SystemExit("spamassassin printed no points")
            if float(points[1]) > MAX_SPAM:
                tests = re.search(r"tests=([\w,\s]+?)\s+\w+=", report)
                faults[sample.name] = [f"{points[1]} points: {''.join(tests[1].split()) if tests else ''}"]
    return faults


def reception(files: Files) -> Faults:
    """Where rspamd, with our DNS records on a name server of our own, would not let a signed mail pass at 0 points.

    Each is sent once more with another unsubscribe address, which must break both signatures.
    """
    faults: Faults = {}
    with rspamd(FROM_DOMAIN, BOUNCE_DOMAIN) as receiver:
        for sample, _ in files:
            mail = sample.sent(receiver.keys)
            verdict = receiver.check(mail)
            found = [f"no {symbol}" for symbol in sorted(PASSES - verdict.passes)]
            found += [f"signature of {key.algorithm} not right" for key in receiver.keys
                      if key.algorithm not in verdict.signatures]
            if verdict.points > MAX_RSPAMD:
                worst = sorted(verdict.symbols.items(), key=lambda symbol: -symbol[1])
                found.append(f"{verdict.points:.1f} points: {', '.join(name for name, points in worst if points > 0)}")
            tampered = mail.data.replace(b"List-Unsubscribe: <", b"List-Unsubscribe: <x", 1)
            if receiver.check(replace(mail, pieces=(tampered,), spoken=None)).signatures:
                found.append("another List-Unsubscribe breaks no signature")
            faults[sample.name] = found
    return {name: found for name, found in faults.items() if found}


CHECKERS: dict[str, Callable[[Files], Faults]] = {
    "vnu": validity, "axe": accessibility, "caniemail": support, "lint": own_rules, "spam": spam, "rspamd": reception}


def _wake(folder: Path, broken: Sample) -> None:
    """Sees that the checkers from outside find what is wrong with a broken mail: a silent one would pass all."""
    for title, checker in CHECKERS.items():
        if checker is not own_rules and not checker(_written([broken], folder)):
            raise SystemExit(f"{title} finds nothing wrong with a broken mail")


def _written(samples: Sequence[Sample], folder: Path) -> Files:
    """Writes each sample's HTML to a file of its own."""
    files = []
    for number, sample in enumerate(samples):
        path = folder / f"sample-{number}.html"
        path.write_text(sample.html, encoding="utf-8")
        files.append((sample, path))
    return files


def _node(script: str, files: Files) -> list[dict[str, Any]]:
    done = subprocess.run(
        ["node", str(NPM / script), *(str(path) for _, path in files)], capture_output=True, text=True,
        env={**os.environ, "CHROMIUM": shutil.which("chromium") or "/usr/bin/chromium"})
    if done.returncode:
        raise SystemExit(f"{script} failed:\n{done.stderr}")
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results


def _report(console: Console, samples: Sequence[Sample], results: dict[str, Faults]) -> int:
    """Prints a row a sample and every fault; returns how many checks failed."""
    table = Table("edition", "stories", "HTML bytes", *CHECKERS, box=None, header_style="bold")
    failed = 0
    for sample in samples:
        counts = [len(results[title].get(sample.name, [])) for title in CHECKERS]
        failed += sum(count > 0 for count in counts)
        cells = [f"[red]{count} found[/]" if count else "[green]ok[/]" for count in counts]
        stories = str(len(sample.view.all_stories)) if sample.view else ""
        table.add_row(escape(sample.name), stories, f"{len(sample.html.encode()):,}", *cells)
    console.print(table)
    for title, found in results.items():
        where: dict[str, list[str]] = {}
        for name, faults in found.items():
            for fault in faults:
                where.setdefault(fault, []).append(name)
        for fault, names in where.items():
            places = ", ".join(dict.fromkeys(names))
            console.print(f"[red]{title}[/] {escape(fault)} [dim]({escape(places)})[/]", soft_wrap=True)
    return failed


if __name__ == "__main__":
    main()
