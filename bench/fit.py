"""Were the weights chosen for one file? `python -m bench.fit EVENTS.jsonl DAY.jsonl DAY-PAIRS.tsv`.

The sets are the labelled events by title and summary, the same with 120 words of their texts, and the judged pairs of
the day. For each, the weights are fitted on the other sets alone, the two of the events being one: from equal points
for every feature, each weight in turn is multiplied while that helps the mean figure of these sets. Printed is the
figure of the set that was left out beside that of the shipped weights, which are the same for all.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.agreement import b_cubed, judged
from bench.cluster import cluster, read_items, read_pairs, shipped_names
from digest.model import Item
from digest.pipeline.cluster import Clusterer
from digest.pipeline.cluster_features import BIAS, FEATURES, Weights

Figure = Callable[[Weights], float]
START = 3.0  # points of each feature that speaks for a join, before the fit
FITTED = ("words", "centres", "titles")
FACTORS = (0.5, 0.75, 1.4, 2.0)
TEXT_WORDS = 120


def weights_of(points: Mapping[str, float]) -> Weights:
    """The shipped weights with other points for those features, and for the "bias"."""
    return Weights(tuple((name, points.get(name, weight), feature) for name, weight, feature in FEATURES),
                   points.get("bias", BIAS))


def fit(figures: Sequence[Figure], rounds: int) -> dict[str, float]:
    """Points that make the mean of the figures as high as trying one after another can."""
    points = {**dict.fromkeys(FITTED, START), "bias": BIAS}
    best = _mean(figures, points)
    for _ in range(rounds):
        for name in points:
            for factor in FACTORS:
                tried = {**points, name: round(points[name] * factor, 3)}
                mean = _mean(figures, tried)
                if mean > best:
                    best, points = mean, tried
    return points


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.fit", description=__doc__.splitlines()[0])
    parser.add_argument("events", type=Path)
    parser.add_argument("day", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args(arguments)
    day = _of_pairs(read_items(options.day)[0], read_pairs(options.pairs))
    events = _of_labels(*read_items(options.events))
    texts = _of_labels(*read_items(options.events, text_words=TEXT_WORDS))
    for names, left_out, others in ((("events", "events, 120 words"), (events, texts), (day,)),
                                    (("day, pairs",), (day,), (events, texts))):
        points = fit(others, options.rounds)
        shown = ", ".join(f"{name} {value:g}" for name, value in points.items())
        for name, figure in zip(names, left_out, strict=True):
            print(f"{name:18} left out F1 {figure(weights_of(points)):.3f}   shipped F1 {figure(Weights()):.3f}   "
                  f"fitted on the others: {shown}", flush=True)


def _of_labels(items: Sequence[Item], labels: Mapping[str, str]) -> Figure:
    return lambda weights: b_cubed(cluster(items, Clusterer(shipped_names(), weights)), labels).f1


def _of_pairs(items: Sequence[Item], pairs: Sequence[tuple[str, str, bool]]) -> Figure:
    return lambda weights: judged(cluster(items, Clusterer(shipped_names(), weights)), pairs).f1


def _mean(figures: Sequence[Figure], points: Mapping[str, float]) -> float:
    weights = weights_of(points)
    return sum(figure(weights) for figure in figures) / len(figures)


if __name__ == "__main__":
    main()
