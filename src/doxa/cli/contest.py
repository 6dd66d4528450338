"""Every calibrator that takes what there is, cross-fitted and measured."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from doxa.errors import UsageError

if TYPE_CHECKING:
    from doxa.cli.evidence import Evidence
    from doxa.scoring import Group


def best_of_all(evidence: Evidence, folds: int, seed: int) -> tuple[str, Evidence, list[Group]]:
    """The calibrator of the least Brier score, the evidence as it takes it, and measurements of all, the best first.

    With several confidences these are the ensembles, with one the others; those of groups take part where there are.
    """
    from doxa import registry
    from doxa.cli.fitting import calibrator_for, cross_fitted, measured, objection

    found = {}
    for name in registry.names("calibrators"):
        made, seen = registry.build("calibrators", name), as_taken(name, evidence)
        idle = getattr(made, "several", False) is not (len(evidence.names.confidence) > 1)
        if idle or (getattr(made, "grouped", False) and not evidence.names.by) or objection(name, made, seen):
            continue
        probability = cross_fitted(seen, calibrator_for(name, seen), folds, seed)
        found[name] = measured(seen, name, probability, seed=seed)
    if not found:
        raise UsageError("no calibrator takes this", hint="doxa list calibrators says what each takes")
    order = sorted(found, key=lambda name: (found[name].measurements[0].value or 0.0, name))
    return order[0], as_taken(order[0], evidence), [found[name] for name in order]


def as_taken(spelled: str, evidence: Evidence) -> Evidence:
    """The evidence without groups where the calibrator takes none."""
    from doxa import registry

    if getattr(registry.make("calibrators", spelled), "grouped", False):
        return evidence
    return replace(evidence, names=replace(evidence.names, by=()))
