"""The bench of the order of editions: what NDCG is made of."""

from math import log2

import pytest

from bench.rank import ndcg


def test_the_best_order_has_one() -> None:
    assert ndcg(["a", "b", "c"], {"a": 3, "b": 2, "c": 0}) == 1.0


def test_a_gain_counts_less_further_down() -> None:
    gains = {"a": 3, "b": 1}
    assert ndcg(["b", "a"], gains) == pytest.approx((1 + 3 / log2(3)) / (3 + 1 / log2(3)))


def test_only_the_first_places_count() -> None:
    assert ndcg(["x", "y", "a"], {"a": 5, "x": 0, "y": 0}, depth=2) == 0.0


def test_stories_that_are_not_shown_count_for_the_best_order() -> None:
    assert ndcg(["b"], {"a": 1, "b": 1}) == pytest.approx(1 / (1 + 1 / log2(3)))


def test_nothing_to_gain_is_zero() -> None:
    assert ndcg(["a"], {"a": 0}) == 0.0
