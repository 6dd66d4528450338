"""The hull beside scipy's, and isotonic means beside scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import ConvexHull
from sklearn.isotonic import IsotonicRegression

from doxa.calibrators.maths.hull import corners, pooled


@pytest.mark.parametrize("seed", range(10))
def test_corners_are_those_of_the_hull_below(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = np.cumsum(rng.random(300)), np.cumsum(rng.normal(size=300))
    hull = ConvexHull(np.c_[x, y])
    below = {
        int(v) for simplex, plane in zip(hull.simplices, hull.equations, strict=True) if plane[1] < 0 for v in simplex
    }
    assert {*corners(x, y).tolist()} == below


@pytest.mark.parametrize(
    "y",
    [
        np.arange(500.0),  # one line
        -(np.arange(500.0) ** 2),  # nothing but the ends
        np.append(np.arange(500.0) ** 2, -1e6),  # the last point takes the corners away one after the other
    ],
)
def test_lines_and_cascades_leave_only_the_ends(y: np.ndarray) -> None:
    assert corners(np.arange(len(y), dtype=float), y).tolist() == [0, len(y) - 1]


def test_a_convex_chain_keeps_all_its_corners() -> None:
    assert corners(np.arange(50.0), np.arange(50.0) ** 2).tolist() == [*range(50)]


@given(
    cells=st.lists(
        st.integers(1, 9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1, max_size=60
    )
)
def test_pooled_means_are_scikit_learns(cells: list[tuple[int, int]]) -> None:
    right, count = np.array(cells, dtype=float).T
    theirs = IsotonicRegression().fit_transform(np.arange(len(right)), right / count, sample_weight=count)
    assert pooled(right, count) == pytest.approx(theirs, abs=1e-12)
