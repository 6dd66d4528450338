"""Ratings from games: published values, other libraries, closed forms, and laws."""

from __future__ import annotations

import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa.estimators.rating import Games, groups
from doxa.estimators.rating.bradley_terry import PRIORS, bradley_terry
from doxa.estimators.rating.elo import elo
from doxa.estimators.rating.schedule import close_pairs, random_pairs
from doxa.estimators.rating.trueskill import trueskill

N = 12


def won(*pairs: tuple[int, int], n: int = 3) -> Games:
    """Games that the first of each pair won."""
    return Games.of(n, [(first, second, 1) for first, second in pairs])


def drawn(count: int, outcomes: tuple[float, ...], seed: int = 0) -> Games:
    """Games of random pairs with random outcomes."""
    random = np.random.default_rng(seed)
    pairs = [random.choice(N, 2, replace=False) for _ in range(count)]
    return Games.of(N, [(*pair, random.choice(outcomes)) for pair in pairs])


def results(games: Games) -> list[tuple[int, int]]:
    """Winner and loser of every game."""
    rows = zip(games.first.tolist(), games.second.tolist(), games.score.tolist(), strict=True)
    return [(first, second) if score else (second, first) for first, second, score in rows]


# -- Elo ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pairs", "points"),
    [
        (((0, 1), (1, 2), (0, 2)), (1220.8481, 1103.8988, 675.2531)),
        (((0, 2), (0, 1), (1, 2)), (1296.1012, 1045.8111, 658.0876)),
        (((0, 1), (1, 2), (2, 0)), (820.8481, 1103.8988, 1075.2531)),
    ],
)
def test_elo_equals_the_published_values(pairs: tuple[tuple[int, int], ...], points: tuple[float, ...]) -> None:
    assert elo(won(*pairs)) == pytest.approx(points, abs=5e-5)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(5, 9), st.floats(0, 1)), max_size=30), st.integers(1, 3))
def test_elo_keeps_the_sum_of_points(rows: list[tuple[int, int, float]], passes: int) -> None:
    assert elo(Games.of(10, rows), passes=passes).sum() == pytest.approx(10_000)


def test_a_tie_of_equals_moves_no_points_and_further_passes_go_on() -> None:
    assert elo(Games.of(2, [(0, 1, 0.5)])).tolist() == [1000, 1000]
    games = won((0, 1), (1, 2))
    twice = Games.of(3, [(0, 1, 1), (1, 2, 1)] * 2)
    assert elo(games, passes=2).tolist() == elo(twice).tolist()
    assert np.isfinite(elo(won((0, 1)), passes=10_000, k=1e6)).all()


# -- TrueSkill ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("draws", "winner", "loser", "sigma"), [(0, 29.2055, 20.7945, 7.1948), (0.1, 29.3958, 20.6042, 7.1715)]
)
def test_trueskill_of_one_game_equals_the_published_values(
    draws: float, winner: float, loser: float, sigma: float
) -> None:
    skills = trueskill(won((0, 1), n=2), draw_probability=draws)
    assert skills.mu == pytest.approx([winner, loser], abs=5e-5)
    assert skills.sigma == pytest.approx([sigma, sigma], abs=5e-5)


@pytest.mark.parametrize("draws", [0.1, 0.4])
@pytest.mark.parametrize("knobs", [{}, {"sigma": 25 / 2.2, "beta": 25 / 4, "tau": 25 / 150}])
def test_trueskill_equals_the_package(draws: float, knobs: dict[str, float]) -> None:
    oracle = pytest.importorskip("trueskill")
    games = drawn(300, (0.0, 0.5, 1.0))
    world = oracle.TrueSkill(draw_probability=draws, **knobs)
    theirs = [world.create_rating() for _ in range(N)]
    for first, second, score in zip(games.first, games.second, games.score, strict=True):
        a, b = (first, second) if score >= 0.5 else (second, first)
        theirs[a], theirs[b] = oracle.rate_1vs1(theirs[a], theirs[b], bool(score == 0.5), env=world)
    ours = trueskill(games, draw_probability=draws, **knobs)
    assert ours.mu == pytest.approx([rating.mu for rating in theirs], abs=1e-5)  # its normal integral has 7 digits
    assert ours.sigma == pytest.approx([rating.sigma for rating in theirs], abs=1e-5)


def test_trueskill_survives_upsets_and_draws_beyond_all_expectation() -> None:
    sure = Games.of(2, [(0, 1, 1)] * 3000 + [(1, 0, 1)] * 5 + [(0, 1, 0.5)] * 5)
    for draws in (0.0, 0.1):
        skills = trueskill(sure, tau=0.0, beta=1e-3, draw_probability=draws)
        assert np.isfinite(skills.mu).all() and (skills.sigma > 0).all()
    assert trueskill(Games.of(2, [(0, 1, 0.5)]), draw_probability=0).mu == pytest.approx([25, 25])
    assert trueskill(Games.of(2, [(0, 1, 0.7)])).mu.tolist() == trueskill(won((0, 1), n=2)).mu.tolist()


# -- Bradley–Terry -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("regularisation", [0.01, 0.5])
def test_strengths_with_a_ridge_equal_choix(regularisation: float) -> None:
    choix = pytest.importorskip("choix")
    games = drawn(300, (0.0, 1.0))
    theirs = choix.opt_pairwise(N, results(games), alpha=regularisation, tol=1e-12)
    ours = bradley_terry(games, regularisation=regularisation, position=False)
    assert ours.strength == pytest.approx(theirs, abs=1e-7) and ours.position == 0


@pytest.mark.parametrize(("regularisation", "times"), [(1.0, 1), (0.01, 100)])
def test_strengths_with_prior_games_equal_choix_with_such_games_added(regularisation: float, times: int) -> None:
    # λ games won and lost against somebody of strength 0 are one of each where all other games count 1 / λ times.
    choix = pytest.importorskip("choix")
    games = drawn(300, (0.0, 1.0))
    against = [pair for player in range(N) for pair in ((player, N), (N, player))]
    theirs = choix.ilsr_pairwise(N + 1, results(games) * times + against, max_iter=1000, tol=1e-12)
    ours = bradley_terry(games, regularisation=regularisation, prior="games", position=False)
    assert ours.strength == pytest.approx(theirs[:N] - theirs[N], abs=1e-7)


def test_ties_and_shares_are_parts_of_games() -> None:
    shares = Games.of(3, [(0, 1, 0.75), (1, 2, 0.5), (0, 2, 0.5)])
    whole = [(0, 1, 1)] * 3 + [(0, 1, 0), (1, 2, 1), (1, 2, 0), (1, 2, 1), (1, 2, 0)] + [(0, 2, 1), (0, 2, 0)] * 2
    apart = bradley_terry(Games.of(3, whole), regularisation=0.04)
    assert bradley_terry(shares, regularisation=0.01).strength == pytest.approx(apart.strength, abs=1e-9)


def test_the_shares_that_strengths_imply_give_the_strengths_and_the_position_back() -> None:
    strength, position = np.random.default_rng(0).normal(0, 2, N), 1.3
    strength -= strength.mean()
    pairs = list(itertools.permutations(range(N), 2))
    rows = [(a, b, 1 / (1 + math.exp(strength[b] - strength[a] - position))) for a, b in pairs]
    fit = bradley_terry(Games.of(N, rows), regularisation=1e-9)
    assert fit.strength == pytest.approx(strength, abs=1e-5) and fit.position == pytest.approx(position, abs=1e-5)
    blind = bradley_terry(Games.of(N, [(a, b, s) for a, b, s in rows if a < b]), position=False)
    assert abs(blind.strength - strength).max() > 0.1  # who was shown first more often seems stronger


@pytest.mark.parametrize("prior", PRIORS)
def test_who_always_wins_and_a_position_that_always_wins_stay_finite(prior: str) -> None:
    always = bradley_terry(won(*itertools.combinations(range(N), 2), n=N), prior=prior, position=False)  # type: ignore[arg-type]
    assert (np.diff(always.strength) < 0).all() and np.isfinite(always.strength).all()
    first = bradley_terry(won(*random_pairs(N, 4, 0).tolist(), n=N), prior=prior)  # type: ignore[arg-type]
    assert first.strength == pytest.approx(np.zeros(N), abs=1e-6) and 5 < first.position < 20


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(4, 7), st.floats(0, 1)), max_size=25), st.sampled_from(PRIORS))
def test_swapping_who_is_shown_first_changes_the_sign_of_the_position_alone(rows: list, prior: str) -> None:
    fit = bradley_terry(Games.of(8, rows), prior=prior)  # type: ignore[arg-type]
    back = bradley_terry(Games.of(8, [(b, a, 1 - s) for a, b, s in rows]), prior=prior)  # type: ignore[arg-type]
    assert fit.strength == pytest.approx(back.strength, abs=1e-5)
    assert fit.position == pytest.approx(-back.position, abs=1e-5)


def test_the_fit_is_where_nothing_pulls() -> None:
    games = drawn(100, (0.0, 0.3, 1.0), seed=3)
    fit = bradley_terry(games, regularisation=0.05)
    for k in range(N):
        odds = fit.strength[games.first] - fit.strength[games.second] + fit.position
        surplus = games.score - 1 / (1 + np.exp(-odds))
        pull = surplus[games.first == k].sum() - surplus[games.second == k].sum()
        assert pull == pytest.approx(2 * 0.05 * fit.strength[k], abs=1e-9)


def test_a_few_passes_are_not_yet_there_but_near() -> None:
    games = drawn(300, (0.0, 1.0))
    assert bradley_terry(games, passes=1).steps == 1
    whole = bradley_terry(games)
    assert 1 < whole.steps < 20
    assert bradley_terry(games, passes=5).strength == pytest.approx(whole.strength, abs=1e-6)


def test_ten_thousand_players_take_well_under_a_second() -> None:
    pairs, random = random_pairs(10_000, 15, 0), np.random.default_rng(0)
    strength = random.normal(0, 2, 10_000)
    chance = 1 / (1 + np.exp(strength[pairs[:, 1]] - strength[pairs[:, 0]]))
    games = Games(10_000, pairs[:, 0], pairs[:, 1], (random.random(len(pairs)) < chance).astype(float))
    start = time.thread_time()
    fit = bradley_terry(games)
    assert time.thread_time() - start < 5  # 0.6 s on an idle machine
    assert np.corrcoef(fit.strength, strength)[0, 1] > 0.95


# -- groups and schedules ----------------------------------------------------------------------------------------------


def test_groups_are_what_games_connect() -> None:
    assert groups(won((0, 1), (2, 1), (4, 5), n=6)).tolist() == [0, 0, 0, 1, 2, 2]
    assert groups(won(*itertools.pairwise(range(50)), n=50)).tolist() == [0] * 50
    assert groups(won(n=3)).tolist() == [0, 1, 2]


@given(st.integers(2, 40), st.integers(1, 25), st.integers(0, 5))
def test_random_pairs_are_balanced_distinct_and_connect_all(n: int, rounds: int, seed: int) -> None:
    pairs = random_pairs(n, rounds, seed)
    assert len({frozenset(pair) for pair in pairs.tolist()}) == len(pairs) == min(n * rounds, n * (n - 1) // 2)
    assert set(groups(Games(n, pairs[:, 0], pairs[:, 1], np.ones(len(pairs))))) == {0}
    first, second = (np.bincount(pairs[:, side], minlength=n) for side in (0, 1))
    assert abs(first - second).max() <= (len(pairs) != n * rounds)
    assert (first + second).max() - (first + second).min() <= 1
    assert {tuple(pair) for pair in random_pairs(n, 1, seed).tolist()} <= {tuple(pair) for pair in pairs.tolist()}


@given(st.integers(2, 21), st.integers(0, 9), st.sampled_from([0.0, 0.7, -2.0]))
def test_rounds_of_close_pairs_take_everybody_and_repeat_none(n: int, seed: int, position: float) -> None:
    random, asked = np.random.default_rng(seed), np.empty((0, 2), np.intp)
    for _ in range(n // 4):
        pairs = close_pairs(random.normal(size=n), asked, position)
        assert len({player for pair in pairs.tolist() for player in pair}) == 2 * len(pairs)
        asked = np.concatenate([asked, pairs])
    assert len({frozenset(pair) for pair in asked.tolist()}) == len(asked)
    played = np.bincount(asked.ravel(), minlength=n)
    assert played.sum() == 2 * len(asked) and (n % 2 or n < 8 or played.min() > 0)


def test_close_pairs_are_neighbours_and_make_up_for_the_position() -> None:
    strength, nothing = np.array([3.0, 0.1, 0.0, 2.9]), np.empty((0, 2), np.intp)
    assert {frozenset(pair) for pair in close_pairs(strength, nothing).tolist()} == {
        frozenset((1, 2)),
        frozenset((0, 3)),
    }
    assert close_pairs(strength, nothing, 2.9).tolist() == [[2, 3], [1, 0]]
    assert close_pairs(strength, nothing, -2.9).tolist() == [[3, 2], [0, 1]]
    assert close_pairs(np.array([0.0, 1.0]), np.array([[0, 1]])).tolist() == []
    shown = np.array([[0, 2], [0, 3]])  # 0 was shown first twice: now 1 is
    assert close_pairs(np.array([0.0, 0.1, 5.0, 6.0]), shown).tolist()[0] == [1, 0]
