"""Random streams, nuclei and the statistics of distributions, against closed forms, numpy and scipy."""

import math

import numpy as np
import pytest
import scipy.special
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from doxa.models.engine import sampling, statistics  # noqa: E402


def logits(seed, size=700, scale=3.0):
    return np.random.default_rng(seed).normal(scale=scale, size=(3, size))


def test_uniform_numbers_are_uniform_and_streams_independent():
    draws = np.array([[sampling.uniform(seed, step) for step in range(200)] for seed in range(50)])
    assert scipy.stats.kstest(draws.ravel(), "uniform").pvalue > 0.01
    assert abs(np.corrcoef(draws[0], draws[1])[0, 1]) < 0.2
    assert draws.min() >= 0 and draws.max() < 1


@given(st.integers(0, 99), st.floats(0, 0.999999))
def test_pick_inverts_the_cumulative_distribution(seed, u):
    p = torch.softmax(torch.from_numpy(logits(seed)), -1)
    expected = [int(np.searchsorted(np.cumsum(row), u * row.sum(), side="right")) for row in p.numpy()]
    assert sampling.pick(p, [(0, u), (1, u), (2, u)]) == expected


def test_pick_never_takes_a_token_without_mass():
    p = torch.zeros(1, 600)
    p[0, [3, 300]] = 0.5
    draws = [(0, u) for u in (0.0, 0.49, 0.51, 1 - 2**-53)]
    assert sampling.pick(p, draws) == [3, 3, 300, 300]


@given(st.integers(0, 50), st.floats(0.05, 0.99))
def test_the_nucleus_is_the_smallest_set_with_the_mass(seed, top_p):
    table = torch.from_numpy(logits(seed, 40)).float()
    whole = scipy.special.softmax(table.double().numpy() / 0.7, -1)
    for row, full in zip(sampling.probabilities(table, 0.7, top_p).numpy(), whole, strict=True):
        kept = row > 0
        assert full[kept].sum() >= top_p - 1e-6
        assert full[kept].sum() - full[kept].min() < top_p + 1e-6
        assert full[kept].min() >= full[~kept].max(initial=0)


def test_equal_tokens_enter_the_nucleus_by_lowest_id():
    assert (sampling.probabilities(torch.zeros(1, 8), 1.0, 0.5)[0] > 0).tolist() == [True] * 4 + [False] * 4


@pytest.mark.parametrize("seed", range(3))
def test_statistics_equal_their_definitions(seed):
    raw = logits(seed)
    p, tempered = scipy.special.softmax(raw, -1), scipy.special.softmax(raw / 2, -1)
    v = raw.shape[-1]
    ordered = np.sort(p, -1)
    expected = {
        "entropy": scipy.stats.entropy(p, axis=-1),
        "self_certainty": scipy.stats.entropy(np.full_like(p, 1 / v), p, axis=-1),
        "renyi": np.log((tempered**0.5 * (1 / v) ** 0.5).sum(-1)) / (0.5 - 1),
        "fisher_rao": 2 / math.pi * np.arccos(np.sqrt(tempered / v).sum(-1)),
        "margin": ordered[:, -1] - ordered[:, -2],
        "logit_max": raw.max(-1),
    }
    table = torch.from_numpy(raw)
    found = statistics.reduce(statistics.STATISTICS, table, torch.log_softmax(table, -1))
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-9, err_msg=name)


def test_statistics_of_the_uniform_distribution():
    logp = torch.full((1, 64), -math.log(64), dtype=torch.float64)
    found = {name: values[0] for name, values in statistics.reduce(statistics.STATISTICS, logp, logp).items()}
    assert found.pop("entropy") == pytest.approx(math.log(64))
    assert found.pop("logit_max") == pytest.approx(-math.log(64))
    assert all(abs(value) < 1e-7 for value in found.values())


def test_impossible_tokens_do_not_spoil_the_entropy():
    logp = torch.log(torch.tensor([[0.5, 0.5, 0.0]]))
    assert statistics.entropy(logp).item() == pytest.approx(math.log(2))
