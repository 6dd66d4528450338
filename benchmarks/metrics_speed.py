"""Speed of metrics: clustered intervals beside a vectorised loop over resamples, and values beside one sort.

python benchmarks/metrics_speed.py [ANSWERS] [CLUSTERS] [MILLIONS]

Intervals: AUROC, AURC, Brier score and ECE of 100,000 answers with distinct confidences in 10,000 clusters, 2,000
replicates. The loop draws clusters, gathers their rows with one index array, sorts them once, and computes all four
from that by cumulative sums and `bincount`, with ties (every row drawn twice is one). Both draw the same clusters, and
every replicate of every metric must agree to 1e-9.

Values: each metric of a million distinct confidences beside one `numpy.argsort` of them, taking turns.

Medians of wall-clock seconds, and of processor seconds, which other work on the machine disturbs less. Exit code 1 if
the loop is less than 10 times as slow, a metric takes longer than 4 sorts, or a number differs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from statistics import median

import numpy as np

from doxa import metrics
from doxa.metrics.maths import bootstrap
from doxa.metrics.maths.checks import Bools, Floats, Ints
from doxa.metrics.maths.rule import rule

FOUR = ("auroc", "aurc", "brier_loss", "ece")
EIGHT = ("auroc", "aurc", "prr", "brier_loss", "log_loss", "ece", "adaptive_ece", "mmce")
Seconds = tuple[float, float]


def seconds(work: Callable[[], object]) -> Seconds:
    """Wall-clock and processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def middle(times: list[Seconds]) -> Seconds:
    return median(wall for wall, _ in times), median(processor for _, processor in times)


def four(p: Floats, y: Bools, harmonic: Floats) -> tuple[float, float, float, float]:
    """The four metrics of one resample."""
    n, order = len(p), np.argsort(-p)
    p, y = p[order], y[order]
    start = np.flatnonzero(np.append(True, p[1:] != p[:-1]))
    end = np.append(start[1:], n)
    right_upto = np.cumsum(y)[end - 1]
    right = np.diff(right_upto, prepend=0)
    wrong, wrong_upto = end - start - right, end - right_upto
    auroc = (right * (wrong_upto[-1] - wrong_upto + wrong / 2)).sum() / (right_upto[-1] * wrong_upto[-1])
    rate = wrong / (end - start)
    aurc = (wrong + (wrong_upto - wrong - rate * start) * (harmonic[end] - harmonic[start])).sum() / n
    excess = p - y
    bins = np.maximum(np.ceil(p * 10).astype(np.intp) - 1, 0)
    return auroc, aurc, (excess**2).mean(), np.abs(np.bincount(bins, excess, 10)).sum() / n


def loop(p: Floats, y: Bools, cluster: Ints, seed: int) -> Floats:
    """The four metrics of every resample, (replicates, 4)."""
    rng = np.random.default_rng(seed)
    rows, sizes = np.argsort(cluster, kind="stable"), np.bincount(cluster)
    p, y, first = p[rows], y[rows], np.cumsum(sizes) - sizes
    harmonic = np.append(0.0, np.cumsum(1 / np.arange(1, 2 * len(p))))
    found = []
    for _ in range(bootstrap.TIMES):
        drawn = rng.integers(0, len(sizes), len(sizes))
        count = sizes[drawn]
        upto = np.cumsum(count)
        index = np.repeat(first[drawn] - upto + count, count) + np.arange(upto[-1])
        found.append(four(p[index], y[index], harmonic))
    return np.array(found)


def intervals(answers: int, clusters: int) -> bool:
    """Compare and print; whether all is as promised."""
    rng = np.random.default_rng(0)
    p, cluster = rng.random(answers), rng.permutation(np.arange(answers) % clusters)
    y = rng.random(answers) < 0.3 + 0.5 * p
    theirs: list[Floats] = []
    slow = seconds(lambda: theirs.append(loop(p, y, cluster, 0)))
    fast = middle(
        [seconds(lambda: metrics.measure(confidence=p, correct=y, cluster=cluster, metrics=FOUR)) for _ in range(5)]
    )
    ours = bootstrap.resample({name: rule(name).kernel for name in FOUR}, p, y, cluster, 0)
    apart = max(float(np.abs(ours[name] - theirs[0][:, i]).max()) for i, name in enumerate(FOUR))
    ratios = [a / b for a, b in zip(slow, fast, strict=True)]
    print(f"{answers:,} answers, {clusters:,} clusters, {bootstrap.TIMES} replicates of {', '.join(FOUR)}")
    print(f"loop     {slow[0]:7.2f} s   {slow[1]:7.2f} s of processor")
    print(f"measure  {fast[0]:7.2f} s   {fast[1]:7.2f} s of processor")
    print(f"ratio    {ratios[0]:7.1f}     {ratios[1]:7.1f}     apart by {apart:.1e}")
    return max(ratios) >= 10 and apart < 1e-9


def values(n: int) -> bool:
    """Compare and print; whether all is as promised."""
    rng = np.random.default_rng(1)
    p = rng.random(n)
    y = rng.random(n) < p
    works: dict[str, Callable[[], object]] = {"argsort": lambda: np.argsort(p)}
    works |= {name: lambda name=name: getattr(metrics, name)(confidence=p, correct=y) for name in EIGHT}  # type: ignore[misc]
    taken: dict[str, list[Seconds]] = {name: [] for name in works}
    for _ in range(9):
        for name, work in works.items():
            taken[name].append(seconds(work))
    sort = middle(taken["argsort"])
    print(f"\n{n:,} distinct confidences{'':10}ms  in sorts      processor  in sorts")
    good = True
    for name, times in taken.items():
        one = middle(times)
        ratios = [a / b for a, b in zip(one, sort, strict=True)]
        good &= min(ratios) <= 4
        print(f"{name:<14}{one[0] * 1e3:21.1f} {ratios[0]:9.2f} {one[1] * 1e3:14.1f} {ratios[1]:9.2f}")
    return good


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    answers, clusters, millions = given + [100_000, 10_000, 1][len(given) :]
    held = [intervals(answers, clusters), values(millions * 1_000_000)]
    sys.exit(0 if all(held) else 1)
