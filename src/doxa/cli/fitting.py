"""Calibrators and policies fitted on evidence, and what is to be known of them."""

from __future__ import annotations

import inspect
from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from doxa.errors import UsageError
from doxa.types import Case, Decision, Guarantee, Scale

if TYPE_CHECKING:
    from doxa.cli.evidence import Evidence
    from doxa.metrics.maths.checks import Bools, Floats
    from doxa.scoring import Group

COMPARED = ("brier_loss", "log_loss", "ece", "overconfidence", "auroc")


def calibrator_for(spelled: str, evidence: Evidence) -> Any:
    """The calibrator of that spelling, told the scales. Raises `UsageError` where it cannot take what there is."""
    from doxa import registry

    made = registry.make("calibrators", spelled)
    if hasattr(made, "scales") and not made.scales:
        made = replace(made, scales=tuple(scale.value for scale in evidence.names.scales))
    complaint = objection(spelled, made, evidence)
    if complaint is not None:
        raise complaint
    return made


def objection(spelled: str, made: Any, evidence: Evidence) -> UsageError | None:
    """Why a calibrator cannot take what there is, if it cannot."""
    count = len(evidence.names.confidence)
    if count > 1 and not getattr(made, "several", False):
        return UsageError(f"{spelled} takes one confidence, and {count} are given", hint=members("several"))
    if evidence.names.by and not getattr(made, "grouped", False):
        return UsageError(f"{spelled} takes no groups", hint=members("grouped"))
    if evidence.real and made.scale is Scale.UNIT and not hasattr(made, "scales"):
        return UsageError(
            f"{spelled} takes confidences in [0, 1], and the scale is real", hint="platt and isotonic take any number"
        )
    return None


def members(trait: str) -> str:
    """The names of the calibrators that have a trait, as a hint."""
    from doxa import registry

    kinds = {name: registry.find("calibrators", name) for name in registry.names("calibrators")}
    return f"these do: {', '.join(name for name, kind in kinds.items() if getattr(kind, trait, False) is True)}"


def cross_fitted(evidence: Evidence, calibrator: Any, folds: int, seed: int) -> Floats:
    """The probability of each graded answer, from a fit on other folds."""
    from doxa.calibrators.maths.folds import cross_fit

    return cross_fit(
        calibrator,
        confidence=evidence.confidence(),
        correct=evidence.outcomes(),
        cluster=evidence.clusters(),
        folds=folds,
        seed=seed,
        **evidence.groups(),
    )


def fit(evidence: Evidence, calibrator: Any) -> Any:
    """The calibrator fitted on all graded answers."""
    return calibrator.fit(confidence=evidence.confidence(), correct=evidence.outcomes(), **evidence.groups())


def measured(
    evidence: Evidence, label: str, values: Any, scale: Scale = Scale.UNIT, missing: int = 0, seed: int = 0
) -> Group:
    """A column of the comparison before and after."""
    from doxa.metrics import measure
    from doxa.scoring import Group

    found = measure(
        confidence=values,
        correct=evidence.outcomes(),
        cluster=evidence.clusters(),
        metrics=COMPARED,
        scale=scale,
        missing=missing,
        seed=seed,
    )
    return Group({"calibration": label}, found)


def before(evidence: Evidence, missing: int, seed: int) -> list[Group]:
    """The raw confidences measured, each by itself."""
    names = evidence.names
    if len(names.confidence) == 1:
        return [measured(evidence, "before", evidence.confidence(), names.scales[0], missing, seed)]
    return [
        measured(evidence, f"before: {name}", evidence.table[name], scale, missing, seed)
        for name, scale in zip(names.confidence, names.scales, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Ruling:
    """A fitted policy, and its decisions on the calibration data."""

    spelled: str
    policy: Any
    decisions: list[Decision]
    confidence: Floats
    correct: Bools

    @property
    def acts(self) -> Counter[str]:
        """How often it does what."""
        return Counter(decision.act for decision in self.decisions)

    @property
    def wrong(self) -> int:
        """How many of the answers it gives are wrong."""
        return sum(d.act == "answer" and not y for d, y in zip(self.decisions, self.correct, strict=True))

    @property
    def guarantee(self) -> Guarantee | None:
        """What it promises of new answers."""
        return next((d.guarantee for d in self.decisions if d.guarantee), None)

    @property
    def threshold(self) -> float | None:
        """The confidence from which upwards it answers, where there is such a number."""
        import numpy as np

        answers = np.array([decision.act == "answer" for decision in self.decisions])
        lowest = float(self.confidence[answers].min()) if answers.any() else np.inf
        return lowest if answers.any() and (answers == (self.confidence >= lowest)).all() else None

    def to_json(self) -> dict[str, Any]:
        """What `--json` says of it."""
        return {
            "policy": self.spelled,
            "threshold": self.threshold,
            "n": len(self.decisions),
            "acts": dict(self.acts),
            "wrong_on_calibration_data": self.wrong,
            "guarantee": self.guarantee and asdict(self.guarantee),
            "reason": "" if self.acts["answer"] else self.decisions[0].reason,
        }

    def lines(self) -> list[str]:
        """The same in plain words."""
        n, answered = len(self.decisions), self.acts["answer"]
        if not answered:
            return [f"{self.spelled}: answers none of {n:,} ({counted(self.acts)}): {self.decisions[0].reason}"]
        at = "" if self.threshold is None else f" from a confidence of {self.threshold:.6g} upwards"
        promised = promise(self.guarantee) if self.guarantee else "it guarantees nothing about new answers"
        others = counted(self.acts - Counter(answer=answered))
        return [
            f"{self.spelled}: answers {answered:,} of {n:,} ({answered / n:.1%}){at}{others and '; '}{others}",
            f"on the calibration data {self.wrong:,} of those {answered:,} are wrong ({self.wrong / answered:.1%}), "
            f"{self.wrong / n:.1%} of all",
            promised,
        ]


def rule(spelled: str, evidence: Evidence, probability: Floats) -> Ruling:
    """The policy of that spelling, fitted on the raw confidence. Raises `UsageError` where it needs something else."""
    from doxa import registry

    policy = registry.make("policies", spelled)
    if len(evidence.names.confidence) > 1:
        raise UsageError(
            "a policy decides on one confidence, and several are given",
            hint="apply the calibrator to other graded answers, then calibrate its column probability with the policy",
        )
    if hasattr(policy, "fit_options"):
        raise UsageError(
            f"{spelled} makes sets of options, and here is one confidence per answer",
            hint="doxa sets RUN takes a run of choice questions; from Python: fit_options",
        )
    if hasattr(policy, "learnt_by"):
        raise UsageError(
            f"{spelled} is learnt from more than a confidence and an outcome per answer",
            hint=f"{policy.learnt_by} learns it",
        )
    needed = {p.name for p in inspect.signature(policy.fit).parameters.values() if p.default is inspect.Parameter.empty}
    if needed - {"confidence", "correct"}:
        raise UsageError(
            f"{spelled} is fitted on {' and '.join(sorted(needed))}", hint="use it from Python: see its docstring"
        )
    p, y = evidence.confidence(), evidence.outcomes()
    fitted = policy.fit(confidence=p, correct=y, cluster=evidence.clusters())
    return Ruling(spelled, fitted, decide(fitted, p.tolist(), probability.tolist()), p, y)


def decide(policy: Any, confidence: list[float | None], probability: list[float | None]) -> list[Decision]:
    """What the policy would do with each answer."""
    return [policy.decide(Case(c, probability=p)) for c, p in zip(confidence, probability, strict=True)]


def counted(acts: Counter[Any]) -> str:
    """Acts with their numbers, the most frequent first."""
    return ", ".join(f"{act} {times:,}" for act, times in acts.most_common())


def promise(g: Guarantee) -> str:
    """A guarantee in plain words."""
    sure = "on average" if g.delta is None else f"with probability {1 - g.delta:.4g}"
    return f"guarantee: {g.quantity} at most {g.bound:.4g}, {sure} ({g.method}, n {g.n:,}), if {g.assumes}"
