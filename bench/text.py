"""Measures stems, languages and names: `python -m bench.text FOLDER`.

FOLDER holds lang_samples.tsv (language, sentence) and kk_ktb-ud-test.conllu (Kazakh with lemmas, of Universal
Dependencies). Stems are judged by pairs: two word forms belong together where they share a lemma, and are joined where
they share a stem. Speed is of CPU time.
"""

import argparse
import csv
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path

from digest.documents import read_configuration
from digest.services.config import packaged_gazetteer
from digest.text.agglutinative import stem as grammar_stem
from digest.text.languages import USUAL, language_of
from digest.text.tokens import fold

SAMPLES, TREES = "lang_samples.tsv", "kk_ktb-ud-test.conllu"
ROUNDS = 3  # of which the best is taken
STEMMERS: Mapping[str, Callable[[str], str]] = {
    "words as they are": lambda word: word,
    "first 4 letters": lambda word: word[:4],
    "first 5 letters": lambda word: word[:5],
    "digest.text.stems": lambda word: grammar_stem(word, "kk"),
}


def lemmas(lines: Iterable[str]) -> dict[str, set[str]]:
    """The lemmas of each folded word form of a treebank; words of letters alone."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for line in lines:
        columns = line.split("\t")
        if len(columns) > 2 and columns[0].isdigit() and (form := fold(columns[1], "kk")).isalpha():
            found[form].add(fold(columns[2], "kk"))
    return dict(found)


def pair_figures(forms: Mapping[str, set[str]], stem: Callable[[str], str]) -> tuple[float, float, float]:
    """Precision, recall and F1 over pairs of word forms."""
    gold = _pairs((lemma, form) for form, of_form in forms.items() for lemma in of_form)
    joined = _pairs((stem(form), form) for form in forms)
    right = len(gold & joined)
    precision, recall = right / max(1, len(joined)), right / max(1, len(gold))
    return precision, recall, 2 * right / max(1, len(gold) + len(joined))


def samples(folder: Path) -> list[tuple[str, str]]:
    """Sentences with their language, "uz-Latn" as "uz"."""
    with (folder / SAMPLES).open(encoding="utf-8") as file:
        rows = [(row[0].partition("-")[0], row[1]) for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    trees = (folder / TREES).read_text(encoding="utf-8").splitlines()
    return rows + [("kk", line.partition("=")[2].strip()) for line in trees if line.startswith("# text =")]


def right_languages(rows: Sequence[tuple[str, str]], declared: str | None) -> Counter[str]:
    """How many sentences of each language are told as theirs, out of the usual languages."""
    return Counter(language for language, text in rows if language_of(text, declared, USUAL) == language)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the figures; 0."""
    parser = argparse.ArgumentParser(description="Measure stems, languages and names.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(arguments).folder
    forms = lemmas((folder / TREES).read_text(encoding="utf-8").splitlines())
    rows = samples(folder)
    for lines in (_stems(forms), _languages(rows), _names(rows)):
        print("\n".join(lines))
    return 0


def _stems(forms: Mapping[str, set[str]]) -> Iterator[str]:
    yield f"Kazakh stems, {len(forms):,} word forms"
    for name, stem in STEMMERS.items():
        precision, recall, f1 = pair_figures(forms, stem)
        yield f"  {name:<20} P {precision:.3f}  R {recall:.3f}  F1 {f1:.3f}"
    rate = _rate(lambda: [grammar_stem(form, 'kk') for form in forms], len(forms))
    yield f"  {rate} words/s that were not met before"


def _languages(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    total = Counter(language for language, _ in rows)
    for declared in (None, "en"):
        right = right_languages(rows, declared)
        told = ", ".join(f"{language} {right[language]}/{count}" for language, count in sorted(total.items()))
        yield f"languages, declared {declared or 'nothing'}: right {right.total()}/{len(rows)} ({told})"


def _names(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    names = read_configuration({}, packaged_gazetteer()).names
    found = sum(len(names.find(text, language)) for language, text in rows)
    rate = _rate(lambda: [names.find(text, language) for language, text in rows], len(rows))
    yield f"names: {len(names)} known, {found} found in {len(rows)} sentences, {rate} sentences/s"


def _pairs(keyed: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for key, form in keyed:
        groups[key].add(form)
    return {pair for forms in groups.values() for pair in combinations(sorted(forms), 2)}


def _rate(work: Callable[[], object], count: int) -> str:
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return f"{count / max(best, 1e-6):,.0f}"


if __name__ == "__main__":
    raise SystemExit(main())
