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


def test_exponential_numbers_are_exponential_and_streams_independent():
    streams = np.array([[sampling.exponentials(seed, step, 51) for step in range(4)] for seed in range(-20, 20)])
    assert scipy.stats.kstest(streams.ravel(), "expon").pvalue > 0.01
    flat = streams.reshape(-1, 51)
    assert np.abs(np.corrcoef(flat) - np.eye(len(flat))).max() < 0.75
    assert abs(np.corrcoef(flat[:-1].ravel(), flat[1:].ravel())[0, 1]) < 0.03


def test_a_stream_does_not_depend_on_the_size_of_the_vocabulary():
    assert sampling.exponentials(3, 4, 9).tolist() == sampling.exponentials(3, 4, 50).tolist()[:9]


def test_a_number_that_rounds_to_one_arrives_so_that_what_has_no_mass_is_never_drawn(monkeypatch):
    ones = type("Ones", (), {"random_raw": lambda _, size: np.full(size, 2**64 - 1, dtype=np.uint64)})
    monkeypatch.setattr(np.random, "Philox", lambda key: ones())
    assert sampling.exponentials(0, 0, 4).tolist() == pytest.approx([24 * math.log(2)] * 4)
    alone = torch.nn.functional.one_hot(torch.tensor([300]), 600).float()
    assert sampling.pick(alone, [(0, 0, 0)]) == [300]


@pytest.mark.parametrize(("seed", "size"), [(0, 12), (1, 12), (2, sampling.SIDE), (3, 2 * sampling.SIDE + 9)])
def test_draws_follow_the_distribution(seed, size):
    p = torch.softmax(torch.from_numpy(logits(seed, size, 1.0)), -1).float()
    drawn = sampling.pick(p, [(1, 10_000 * seed + s, 2) for s in range(8000)])
    expected = p[1].double().numpy() / p[1].double().sum().item() * 8000
    seen, often = np.bincount(drawn, minlength=size), expected >= 5
    pooled = [np.append(counts[often], counts[~often].sum() + 1e-9) for counts in (seen, expected)]
    assert scipy.stats.chisquare(*pooled, sum_check=False).pvalue > 0.001


@given(st.integers(0, 400))
def test_noise_in_the_last_digits_changes_no_draw(seed):
    table = torch.from_numpy(logits(seed, 5000, 1.0)).float()
    noisy = table + torch.from_numpy(logits(seed + 1, 5000, 1e-6)).float()
    draws = [(row, seed, step) for row in range(3) for step in range(4)]
    plain, shaken = (sampling.pick(sampling.probabilities(t, 1.0, 1.0), draws) for t in (table, noisy))
    assert plain == shaken


def test_tokens_without_mass_are_never_drawn():
    p = torch.zeros(1, 600)
    p[0, [3, 300]] = 0.5
    assert set(sampling.pick(p, [(0, seed, 0) for seed in range(50)])) == {3, 300}


def test_what_is_too_unlikely_for_a_number_is_never_drawn():
    p = torch.tensor([[1e-40, 1.0, 0.0]])
    assert set(sampling.pick(p, [(0, seed, 0) for seed in range(50)])) == {1}


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
