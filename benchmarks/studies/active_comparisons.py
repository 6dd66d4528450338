"""Does an active schedule of 5 comparisons a question give what 15 random ones do?

python benchmarks/studies/active_comparisons.py [MODEL] [--questions 300] [--seeds 5] [--journal FOLDER]

MODEL is a mock (`mock/honest`, without network or weights, the default) asked about planted questions, or any other,
`smollm2` say, asked for capitals. Ratings are Bradley–Terry. Mocks are read three ways: their greedy word, which goes
to the answer they believe more; a word drawn at temperature 1, which errs as often as a Bradley–Terry model says; and
the probability of the word. Other models are read by the likelier label and by its probability.

Printed are, as means over the seeds with 95 % intervals (questions resampled within every seed), AUROC and selective
AUC of the ratings, their rank correlation with the planted belief where there is one, and how far each of these lies
above that of 15 random comparisons.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata

import doxa
from doxa import grading, prompts, registry
from doxa.estimators.relative_confidence import RelativeConfidence
from doxa.inquiry import Asking, Caller, Inquiry
from doxa.journal import Journal
from doxa.metrics import auroc, selective_auc
from doxa.models.planted.beliefs import beliefs
from doxa.questions.planted import Planted

PLANS = {"random 15": (15, "random"), "random 5": (5, "random"), "active 5": (5, "active")}
READINGS = {
    "mock": {"greedy": {}, "drawn": {"temperature": 1.0}, "soft": {"soft": True}},
    "model": {"likelier": {"ties": "forced"}, "soft": {"soft": True}},
}
REPLICATES = 500


async def asked(model: Any, questions: list[Any], seed: int, journal: Journal | None, readings: dict[str, Any]):
    """Ratings by reading and plan, and whether the replies are right."""
    caller = Caller(model, journal)
    asking = Asking(seed=seed)
    inquiries = [
        Inquiry(each.id, prompts.render(each), {"subject": caller}, each.kind, each.choices, asking=asking)
        for each in questions
    ]
    replies = await asyncio.gather(*(inquiry.reply() for inquiry in inquiries))
    verdicts = [await grading.grade(question, reply.text) for question, reply in zip(questions, replies, strict=True)]
    rated, position = {}, {}
    for reading, knobs in readings.items():
        for plan, (comparisons, schedule) in PLANS.items():
            made = RelativeConfidence(comparisons=comparisons, schedule=schedule, **knobs)  # type: ignore[arg-type]
            found = await made.estimate_all(inquiries)
            rated[reading, plan] = [confidence.value for confidence in found]
            details = next(confidence.details for confidence in found if confidence.details)
            position[reading, plan] = (details["position"], details["first_won"])
    return rated, position, [verdict.correct for verdict in verdicts]


def scores(ratings: np.ndarray, correct: np.ndarray, belief: np.ndarray | None) -> dict[str, float]:
    """The metrics of one set of ratings."""
    found = {
        "AUROC": auroc(confidence=ratings, correct=correct),
        "selective AUC": selective_auc(confidence=ratings, correct=correct),
    }
    if belief is not None:
        found["rank correlation"] = float(np.corrcoef(rankdata(ratings), rankdata(belief))[0, 1])
    return found


def table(seeds: list[tuple[dict[Any, list[float | None]], np.ndarray, np.ndarray | None]]) -> None:
    """Means over seeds and their intervals, for every reading and plan."""
    rng = np.random.default_rng(0)
    totals: dict[Any, list[float]] = {}
    for replicate in range(REPLICATES + 1):  # the first is the sample itself
        sums: dict[Any, list[float]] = {}
        for rated, correct, belief in seeds:
            there = np.flatnonzero(
                [all(values[i] is not None for values in rated.values()) for i in range(len(correct))]
            )
            take = there if replicate == 0 else rng.choice(there, len(there))
            for key, values in rated.items():
                ratings = np.array(values, float)[take]
                for name, value in scores(ratings, correct[take], None if belief is None else belief[take]).items():
                    sums.setdefault((*key, name), []).append(value)
        for key, values in sums.items():
            totals.setdefault(key, []).append(float(np.mean(values)))
    print("| reading | comparisons | metric | value | above 15 random |\n|---|---|---|---|---|")
    for reading, plan, name in totals:
        own = np.array(totals[reading, plan, name])
        more = own - totals[reading, "random 15", name]
        print(f"| {reading} | {plan} | {name} | {shown(own)} | {'' if plan == 'random 15' else shown(more)} |")


def shown(values: np.ndarray) -> str:
    """A value with its percentile interval."""
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return f"{values[0]:.3f} ({low:.3f} to {high:.3f})"


async def work(args: argparse.Namespace) -> None:
    model = doxa.load_model(args.model)
    mock = args.model.startswith("mock/")
    journal = None
    if args.journal:
        args.journal.mkdir(parents=True, exist_ok=True)
        journal = Journal(args.journal)
    seeds = []
    try:
        for seed in range(args.seeds):
            bank = Planted(n=args.questions, seed=seed) if mock else registry.build("questions", "capitals")
            questions = bank.questions()[: args.questions]
            rated, position, correct = await asked(
                model, questions, seed, journal, READINGS["mock" if mock else "model"]
            )
            belief = np.array([max(beliefs(question.text).values()) for question in questions]) if mock else None
            seeds.append((rated, np.array(correct, float), belief))
            for (reading, plan), (odds, share) in position.items():
                print(f"seed {seed}: {reading}, {plan}: first won {share:.3f}, worth {odds:.2f} in log-odds")
    finally:
        await model.close()
        if journal:
            journal.close()
    table(seeds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="mock/honest")
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--journal", type=Path, help="keep what was answered here")
    asyncio.run(work(parser.parse_args()))


if __name__ == "__main__":
    main()
