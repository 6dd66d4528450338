"""Metrics and intervals of a million answers beside nine other packages.

Every side gets the same random confidences and outcomes, as arrays or as the lists that it wants, and computes what it
has of each table; a round goes through the sides, and each side through its tables. Sizes are what the slowest side can
do. *Values*: ECE of 10 bins, Brier score, AUROC, area under the risk-coverage curve, prediction rejection ratio (its
random baseline is estimated from 1,000 shuffles by LM-Polygraph and TruthTorchLM, and exact in doxa), MMCE (of which
netcal holds all pairs), and what uqlm's `evaluate_calibration` computes at once, called below its data frame.

*Intervals*: the standard error of a mean from resamples, that of the difference of two AUROCs from resamples drawn for
both, and the intervals of AUROC, AURC, Brier score and ECE of 100,000 answers in 10,000 clusters, beside a vectorised
loop that draws clusters, gathers their rows with one index array, sorts them once, and has all four from that by
cumulative sums and `bincount`. That loop draws the same clusters, and its replicates must be the same numbers.

Sides that resample draw as often as their rows say, and a ratio is for one draw. One `numpy.argsort` of the same
million numbers is the unit for eight of doxa's metrics.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

from side import Result, Row, Side, Table, Target, main, play
from side.jobs import distance, seconds, timed, values

FOUR = ("auroc", "aurc", "brier_loss", "ece")
EIGHT = (*FOUR, "prr", "log_loss", "adaptive_ece", "mmce")
AT_ONCE = ("mean_confidence", "accuracy", "brier_loss", "log_loss", "ece", "mce")
RANKING = ("auroc", "auarc", "prr")
COMPARED = 20
"""Replicates whose numbers are compared."""
TITLES = {
    "ece": ("ECE, 10 bins, {million:,} answers", ""),
    "brier": ("Brier score, {million:,} answers", ""),
    "auroc": ("AUROC, {million:,} answers", ""),
    "aurc": ("Area under the risk-coverage curve, {million:,} answers", ""),
    "at once": ("Confidence, accuracy, Brier score, log loss, ECE and MCE, {million:,} answers", ""),
    "prr": ("Prediction rejection ratio, {some:,} answers", ""),
    "ranking": ("AUROC, AUARC and prediction rejection ratio, {some:,} answers", ""),
    "mmce": ("MMCE, {few:,} answers", ""),
    "mean": ("Standard error of a Brier score from resamples, {few:,} answers", "resamples"),
    "difference": ("Standard error of a difference of AUROCs from paired resamples, {few:,} answers", "resamples"),
    "clusters": ("Four intervals from resamples of clusters, {some:,} answers in {clusters:,} clusters", "resamples"),
}
RESAMPLES = {("scipy", "difference"): 200, ("vectorised loop", "clusters"): 100}
DRAWN = 2000
"""Resamples of everybody else."""


def sample(n: int, seed: int = 0) -> tuple[Any, Any]:
    """Confidences and outcomes, a little overconfident."""
    import numpy as np

    rng = np.random.default_rng(seed)
    p = rng.random(n)
    return p, rng.random(n) < 0.1 + 0.7 * p


# -- the sides ---------------------------------------------------------------------------------------------------------


def doxa_measures(setup):
    import numpy as np

    from doxa import metrics
    from doxa.metrics.maths import bootstrap
    from doxa.metrics.maths.rule import rule

    p, y = sample(setup["million"])
    some, few = slice(setup["some"]), slice(setup["few"])
    cluster = np.random.default_rng(1).permutation(np.arange(setup["some"]) % setup["clusters"])
    other = sample(setup["few"], seed=2)[0] + p[few]

    def several(names, rows=slice(None)):
        found = metrics.measure(confidence=p[rows], correct=y[rows], metrics=names, intervals=False)
        return [one.value for one in found]

    def mean():
        drawn = bootstrap.resample({"brier_loss": rule("brier_loss").kernel}, p[few], y[few], None, 0)
        return drawn["brier_loss"].std(ddof=1)

    def difference():
        a, b = bootstrap.paired(rule("auroc").kernel, [(p[few], y[few]), (other / 2, y[few])], None, 0)
        return np.subtract(a, b).std(ddof=1)

    def intervals():
        metrics.measure(confidence=p[some], correct=y[some], cluster=cluster, metrics=FOUR)
        return 0.0

    kernels = {name: rule(name).kernel for name in FOUR}
    drawn = bootstrap.resample(kernels, p[some], y[some], cluster, 0)
    jobs = {
        "ece": lambda: metrics.ece(confidence=p, correct=y),
        "brier": lambda: metrics.brier_loss(confidence=p, correct=y),
        "auroc": lambda: metrics.auroc(confidence=p, correct=y),
        "aurc": lambda: metrics.aurc(confidence=p, correct=y),
        "at once": lambda: several(AT_ONCE),
        "prr": lambda: metrics.prr(confidence=p[some], correct=y[some]),
        "ranking": lambda: several(RANKING, some),
        "mmce": lambda: metrics.mmce(confidence=(1 + p[few]) / 2, correct=y[few]),
        "mean": mean,
        "difference": difference,
        "clusters": intervals,
        "argsort": lambda: np.argsort(p)[0],
    }
    jobs |= {f"one {name}": lambda name=name: getattr(metrics, name)(confidence=p, correct=y) for name in EIGHT}
    jobs["replicates"] = lambda: [[float(drawn[name][i]) for name in FOUR] for i in range(COMPARED)]
    timed({name: jobs[name] for name in ("ece", "prr", "mmce")})()
    return timed(jobs)


def polygraph_measures(setup):
    from lm_polygraph.ue_metrics import PredictionRejectionArea, RiskCoverageCurveAUC
    from lm_polygraph.ue_metrics.ece import ECE
    from lm_polygraph.ue_metrics.roc_auc import ROCAUC
    from lm_polygraph.ue_metrics.ue_metric import get_random_scores, normalize_metric

    p, y = sample(setup["million"])
    unsure, right, wrong = -p, y.astype(float), (~y).astype(int)
    some = slice(setup["some"])

    def prr():
        area = PredictionRejectionArea()
        mine, best = area(unsure[some], right[some]), area(-right[some], right[some])
        return normalize_metric(mine, best, get_random_scores(area, right[some]))

    return timed(
        {
            "ece": lambda: ECE(n_bins=10)(unsure, right),
            "auroc": lambda: ROCAUC()(unsure, wrong),
            "aurc": lambda: RiskCoverageCurveAUC()(unsure, right),
            "prr": prr,
        }
    )


def netcal_measures(setup):
    from netcal.metrics import ECE, MMCE

    p, y = sample(setup["million"])
    few = slice(setup["few"])
    return timed(
        {"ece": lambda: ECE(10).measure(p, y), "mmce": lambda: MMCE().measure((1 + p[few]) / 2, y[few].astype(int))}
    )


def mapie_measures(setup):
    from mapie.metrics.calibration import expected_calibration_error

    p, y = sample(setup["million"])
    right = y.astype(int)
    # its number of bins is the number of their edges
    return timed({"ece": lambda: expected_calibration_error(right, p, num_bins=11, split_strategy="uniform")})


def uqlm_measures(setup):
    from uqlm.calibration.evaluate import _evaluate_single_calibrator as evaluate

    p, y = sample(setup["million"])
    right = y.astype(int)

    def at_once():
        found = evaluate(p, right, plot=False)
        names = ("average_confidence", "average_accuracy", "brier_score", "log_loss", "ece", "mce")
        return [float(found[name]) for name in names]

    return timed({"at once": at_once})


def truthtorch_measures(setup):
    from TruthTorchLM.utils.eval_utils import metric_score

    p, y = sample(setup["million"])
    right, some = y.astype(int), slice(setup["some"])

    def ranking():
        found = metric_score(["auroc", "auarc", "prr"], right[some], p[some], p[some])
        return [float(found[name]) for name in RANKING]

    return timed({"auroc": lambda: metric_score(["auroc"], right, p.copy(), p.copy())["auroc"], "ranking": ranking})


def scipy_measures(setup):
    from scipy.stats import bootstrap
    from sklearn.metrics import brier_score_loss, roc_auc_score

    p, y = sample(setup["million"])
    few = slice(setup["few"])
    other = (sample(setup["few"], seed=2)[0] + p[few]) / 2

    def difference():
        drawn = bootstrap(
            (p[few], other, y[few]),
            lambda a, b, right: roc_auc_score(right, a) - roc_auc_score(right, b),
            n_resamples=RESAMPLES["scipy", "difference"],
            paired=True,
            vectorized=False,
            method="percentile",
            random_state=0,
        )
        return drawn.standard_error

    return timed(
        {
            "brier": lambda: brier_score_loss(y, p),
            "auroc": lambda: roc_auc_score(y, p),
            "difference": difference,
        }
    )


def lm_eval_measures(setup):
    from lm_eval.api.metrics import bootstrap_stderr, mean

    terms = squares(setup)
    return timed({"mean": lambda: bootstrap_stderr(mean, terms, DRAWN)})


def inspect_measures(setup):
    from inspect_ai.scorer import SampleScore, Score, bootstrap_stderr

    scores = [SampleScore(score=Score(value=value)) for value in squares(setup)]
    error = bootstrap_stderr(num_samples=DRAWN)
    return timed({"mean": lambda: error(scores)})


def squares(setup) -> list[float]:
    """What each answer adds to the Brier score."""
    p, y = sample(setup["million"])
    return ((p - y) ** 2)[: setup["few"]].tolist()


def loop_measures(setup):
    import numpy as np

    p, y = sample(setup["million"])
    p, y = p[: setup["some"]], y[: setup["some"]]
    cluster = np.random.default_rng(1).permutation(np.arange(setup["some"]) % setup["clusters"])

    def four(p, y, harmonic):
        """The four metrics of one resample, whose rows are all there several times: ties."""
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

    def loop():
        rng = np.random.default_rng(0)
        rows, sizes = np.argsort(cluster, kind="stable"), np.bincount(cluster)
        p_, y_, first = p[rows], y[rows], np.cumsum(sizes) - sizes
        harmonic = np.append(0.0, np.cumsum(1 / np.arange(1, 2 * len(p))))
        found = []
        for _ in range(RESAMPLES["vectorised loop", "clusters"]):
            drawn = rng.integers(0, len(sizes), len(sizes))
            count = sizes[drawn]
            upto = np.cumsum(count)
            index = np.repeat(first[drawn] - upto + count, count) + np.arange(upto[-1])
            found.append([float(value) for value in four(p_[index], y_[index], harmonic)])
        return found[:COMPARED]

    return timed({"clusters": loop})


# -- the benchmark -----------------------------------------------------------------------------------------------------


def benchmark(quick: bool) -> Result:
    sizes = {"million": 1_000_000, "some": 100_000, "few": 5_000, "clusters": 10_000}
    if quick:
        sizes = {"million": 50_000, "some": 10_000, "few": 1_000, "clusters": 1_000}
    sides = (
        Side("doxa", doxa_measures, sizes),
        Side("LM-Polygraph", polygraph_measures, sizes, ("lm-polygraph==0.7.0",)),
        Side("netcal", netcal_measures, sizes, ("netcal==1.4.0",)),
        Side("MAPIE", mapie_measures, sizes, ("mapie==1.6.0",)),
        Side("uqlm", uqlm_measures, sizes, ("uqlm==0.6.7", "langchain-openai==1.7.3", "pyarrow==21.0.0")),
        Side("TruthTorchLM", truthtorch_measures, sizes, ("TruthTorchLM==0.1.19",)),
        Side("scipy", scipy_measures, sizes, ("scikit-learn==1.9.1", "scipy==1.17.1")),
        Side("lm-eval", lm_eval_measures, sizes, ("lm-eval[api]==0.4.13",)),
        Side("inspect", inspect_measures, sizes, ("inspect-ai==0.3.285",)),
        Side("vectorised loop", loop_measures, sizes),
    )
    played = play(sides, rounds=2 if quick else 3)
    took = {name: seconds(turns) for name, turns in played.items()}
    tables = tuple(
        Table(
            title.format(**sizes),
            tuple(
                Row(called(name, job), own[job], work=RESAMPLES.get((name, job), DRAWN) if unit else 1)
                for name, own in took.items()
                if job in own
            ),
            of=unit,
        )
        for job, (title, unit) in TITLES.items()
    )
    sort = median(took["doxa"]["argsort"])
    sorts = {name: median(took["doxa"][f"one {name}"]) / sort for name in EIGHT}
    listed = ", ".join(f"{name} {value:.2f}" for name, value in sorts.items())
    targets = (
        Target("intervals beside a vectorised loop, times as fast", tables[-1].ratio("vectorised loop"), at_least=10),
        Target("slowest of eight metrics, in sorts of the same numbers", max(sorts.values()), at_most=4),
    )
    return Result(
        tables,
        targets,
        notes=(
            f"Metrics of {sizes['million']:,} answers in sorts of as many numbers: {listed}.",
            *agreement({name: values(turns) for name, turns in played.items()}),
        ),
        failures=played.failures,
        versions=played.versions,
    )


def called(side: str, job: str) -> str:
    """scipy's side calls scikit-learn for values."""
    return "scikit-learn" if side == "scipy" and job != "difference" else side


def agreement(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Sentences on how far the numbers of the sides are from doxa's."""
    mine = {**found["doxa"], "clusters": found["doxa"]["replicates"]}
    said = []
    for side, theirs in list(found.items())[1:]:
        scale = {job: abs(mine[job]) if job in ("mean", "difference") else 1 for job in theirs}
        apart = {job: distance(mine[job], value) / scale[job] for job, value in theirs.items()}
        said.append(f"{side} is within " + ", ".join(f"{value:.0e} ({job})" for job, value in apart.items()) + ".")
    estimated = "standard errors, which are estimates from other random draws, are compared relatively"
    return [f"How far the numbers are from doxa's at most ({estimated}; `prr` and `ranking` hold shuffles):", *said]


if __name__ == "__main__":
    main(benchmark)
