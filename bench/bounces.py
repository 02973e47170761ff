"""Bounces: what the reader makes of recorded reports whose meaning is known.

Usage: python -m bench.bounces [FOLDER] [--list] [--half seen|unseen]   (FOLDER holds index.tsv and the mails)
"""

import argparse
import csv
import os
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from digest.mail.bounces import read
from digest.mail.failures import Failure
from digest.model import BounceKind

FOLDER = Path(os.environ.get("DIGEST_TEST_DATA", "../shared/data")) / "bounces"
# What each reason of the labels means in our kinds, where it must be met and not only must not suppress.
EXPECTED = {
    "userunknown": {BounceKind.HARD}, "hostunknown": {BounceKind.HARD}, "hasmoved": {BounceKind.HARD},
    "notaccept": {BounceKind.HARD}, "mailboxfull": {BounceKind.SOFT}, "suspend": {BounceKind.SOFT},
    "feedback": {BounceKind.COMPLAINT, BounceKind.NONE}, "vacation": {BounceKind.AUTO_REPLY},
    "delivered": {BounceKind.NONE}, "expired": {BounceKind.TEMPORARY}, "networkerror": {BounceKind.TEMPORARY},
}
OURS = {BounceKind.POLICY, BounceKind.UNCLEAR, BounceKind.TEMPORARY, BounceKind.NONE}  # nothing against the reader


@dataclass(frozen=True)
class Sample:
    file: str
    status: bool  # has message/delivery-status
    hard: bool
    reasons: frozenset[str]
    permanent: frozenset[str]  # addresses, of samples labelled so
    temporary: frozenset[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--list", action="store_true", help="print every sample that is read otherwise than labelled")
    parser.add_argument("--half", choices=["seen", "unseen"], help="only this half, by a hash of the file's name")
    options = parser.parse_args()
    samples = [s for s in load(options.folder)
               if options.half is None or (crc32(s.file.encode()) % 2 == 0) == (options.half == "seen")]
    for line in lines(options.folder, samples, every=options.list):
        print(line)


def load(folder: Path) -> list[Sample]:
    """The samples of index.tsv that have an expectation."""
    with (folder / "index.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [_sample(row) for row in rows if row["expected"]]


def _sample(row: dict[str, str]) -> Sample:
    flags = row["expected"].rpartition("|")
    if flags[2] in ("permanent", "temporary"):
        addresses = frozenset(a.lower() for a in flags[0].split(";") if a)
        none: frozenset[str] = frozenset()
        lasting = flags[2] == "permanent"
        return Sample(row["file"], row["has_delivery_status"] == "1", False, frozenset(),
                      addresses if lasting else none, none if lasting else addresses)
    records = [record.split("|") for record in row["expected"].split(";")]
    return Sample(row["file"], row["has_delivery_status"] == "1", any(r[3] == "1" for r in records),
                  frozenset(r[2] for r in records), frozenset(), frozenset())


def lines(folder: Path, samples: list[Sample], *, every: bool) -> list[str]:
    """The report: the shares asked for, false suppressions with their reason, the rest by reason."""
    found = {sample.file: read((folder / sample.file).read_bytes()) for sample in samples}
    plain = [s for s in samples if s.permanent]
    lasting = [s for s in plain if s.permanent <= _named(found[s.file], permanent=True)]
    passing = [s for s in samples if s.temporary]
    late = [s for s in passing if s.temporary <= _named(found[s.file], permanent=False)]
    labelled = [s for s in samples if s.reasons]
    hard = [s for s in labelled if s.hard and s.status]
    hit = [s for s in hard if _is_hard(found[s.file])]
    false = [s for s in labelled if not s.hard and _is_hard(found[s.file])]
    out = [
        _share("flufl permanent: recipients found as failed for good", lasting, plain),
        _share("flufl temporary: recipients found as delayed", late, passing),
        _share("hard, with message/delivery-status: hard", hit, hard),
        f"read as hard, labelled otherwise: {len(false)} of {sum(not s.hard for s in labelled)}, each because it says:",
        *(f"  {s.file}: labelled {', '.join(sorted(s.reasons))}, {_because(found[s.file])}" for s in false),
        f"false suppressions, without a code or words that name user or host: {_bare(found.values())}",
        "by reason (read as expected / samples; with, without message/delivery-status):"]
    out += _by_reason(labelled, found)
    if every:
        wrong = [s for s in labelled if not _as_expected(s, found[s.file])] + [s for s in plain if s not in lasting]
        out += [f"  {s.file}: labelled {', '.join(sorted(s.reasons | s.permanent))}, read {_words(found[s.file])}"
                for s in wrong]
    return out


def _by_reason(labelled: list[Sample], found: dict[str, tuple[Failure, ...]]) -> list[str]:
    groups: dict[str, list[Sample]] = defaultdict(list)
    for sample in labelled:
        groups[", ".join(sorted(sample.reasons))].append(sample)
    out = []
    for reason, members in sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        cells = []
        for status in (True, False):
            some = [s for s in members if s.status is status]
            right = sum(_as_expected(s, found[s.file]) for s in some)
            cells.append(f"{right:>3}/{len(some):<3}")
        kinds = Counter(kind for s in members for kind in {str(f.kind) for f in found[s.file]} or {"no report"})
        out.append(f"  {reason:<20} {cells[0]} {cells[1]} {', '.join(f'{k} {n}' for k, n in kinds.most_common())}")
    return out


def _as_expected(sample: Sample, failures: tuple[Failure, ...]) -> bool:
    kinds = {failure.kind for failure in failures} or {BounceKind.NONE}
    return all(kinds & EXPECTED.get(reason, OURS) for reason in sample.reasons)


def _is_hard(failures: tuple[Failure, ...]) -> bool:
    return any(failure.kind is BounceKind.HARD for failure in failures)


def _named(failures: tuple[Failure, ...], *, permanent: bool) -> set[str]:
    return {failure.recipient.lower() for failure in failures
            if failure.recipient and failure.permanent is permanent}


def _because(failures: tuple[Failure, ...]) -> str:
    return ", ".join(sorted({repr(f.because) for f in failures if f.kind is BounceKind.HARD}))


def _bare(reports: Iterable[tuple[Failure, ...]]) -> int:
    return sum(any(f.kind is BounceKind.HARD and not f.because for f in failures) for failures in reports)


def _words(failures: tuple[Failure, ...]) -> str:
    return "; ".join(
        f"{f.kind} {f.reason} {f.code or '-'} {f.enhanced or '-'} {' '.join(f.text.split())[:160]!r}"
        for f in failures) or "as no report"


def _share(name: str, part: list[Sample], whole: list[Sample]) -> str:
    return f"{name}: {len(part)}/{len(whole)} = {len(part) / len(whole):.1%}" if whole else f"{name}: no samples"


if __name__ == "__main__":
    main()
