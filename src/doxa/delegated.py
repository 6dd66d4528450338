"""What delegating comes to: policies learnt on some questions, and measured with the baselines on the others."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from doxa import flow, runs
from doxa.delegating import NAMES, REMOTE, Delegated, Prompt, chunks_of, decide_all, delegate, prompt_of
from doxa.errors import CallFailed, Incomplete, UsageError
from doxa.inquiry import Budget, Caller
from doxa.journal import Journal
from doxa.many import Watched
from doxa.policies.privacypad import ACTIONS, PrivacyPAD
from doxa.shelf import question_hash
from doxa.types import Act, Measurement, Model, Question

if TYPE_CHECKING:
    from doxa.metrics.maths.checks import Floats
    from doxa.text.pii import PII

SCHEMA = "doxa.delegation/1"
FOLDS = 4
ALL_REMOTE = "all remote"
Acts = tuple[Act, ...]


@dataclass(frozen=True, slots=True)
class Came:
    """What the acts on one prompt came to."""

    quality: float
    leakage: float
    local: int
    remote: int


@dataclass(slots=True)
class Desk:
    """The questions, and what was found out about each way of delegating them: each is carried out once."""

    questions: Sequence[Question]
    prompts: Sequence[Prompt]
    plan: flow.Plan
    callers: Mapping[str, Caller]
    came: dict[tuple[int, Acts], asyncio.Task[Came]] = field(default_factory=dict)

    async def try_out(self, place: int, acts: Acts) -> Came:
        """What the acts on the prompt at `place` come to. Raises `CallFailed` and other `Unavailable`."""
        known = self.came.get((place, acts))
        if known is None:
            known = self.came[place, acts] = asyncio.ensure_future(self._carry_out(place, acts))
        return await known

    async def _carry_out(self, place: int, acts: Acts) -> Came:
        question = self.questions[place]
        made: Delegated = await delegate(
            self.prompts[place], acts, flow.ask(replace(question, context=None), self.plan, self.callers)
        )
        verdict = await flow.grade(question, made.reply)
        calls = (made.usage[role].calls for role in ("subject", REMOTE))
        return Came(float(verdict.correct or False), made.leakage, *calls)

    async def qualities(self, places: Sequence[int], acts: Sequence[Sequence[Acts]]) -> Floats:
        """(places, n): the quality of each of the ways that are tried for each place."""
        import numpy as np

        wanted = [(place, each) for place, some in zip(places, acts, strict=True) for each in some]
        await asyncio.gather(*(self.try_out(*each) for each in dict.fromkeys(wanted)))
        found = [(await self.try_out(*each)).quality for each in wanted]
        return np.array(found).reshape(len(places), -1)


async def learn(policy: PrivacyPAD, desk: Desk, places: Sequence[int], watched: Watched | None = None) -> PrivacyPAD:
    """The policy after its epochs on the prompts at `places`."""
    prompts = [chunks_of(desk.prompts[place]) for place in places]
    policy = policy.begin(NAMES)
    for epoch in range(policy.epochs):
        tried = policy.explore(prompts, epoch)
        acts = [[tuple(ACTIONS[act] for act in row) for row in actions.tolist()] for actions, _ in tried]
        policy = policy.improved(prompts, tried, await desk.qualities(places, acts), epoch)
        if watched:
            watched.one_more()
    return policy


def baselines(seed: int = 0) -> dict[str, Any]:
    """Ways to delegate a prompt that nothing is learnt for, by name: a function of the prompt and its question's id."""

    def redacted(prompt: Prompt, _: str) -> Acts:
        return tuple("mask" if some else "escalate" for some in prompt.found)

    def drawn(prompt: Prompt, name: str) -> Acts:
        random = Random(hashlib.sha256(f"{seed}\0{name}".encode()).digest())
        return tuple(random.choice(ACTIONS) for _ in prompt.chunks)

    return {
        "all local": lambda prompt, _: ("keep_local",) * len(prompt.chunks),
        ALL_REMOTE: lambda prompt, _: ("escalate",) * len(prompt.chunks),
        "redact all": redacted,
        "random": drawn,
    }


@dataclass(frozen=True, slots=True)
class Study:
    """What is to be found out: two models on some questions, and a policy for each penalty."""

    questions: Sequence[Question]
    local: Model
    remote: Model
    policies: Sequence[PrivacyPAD]
    pii: PII
    plan: flow.Plan

    @property
    def identity(self) -> str:
        """A hash of the questions and models: another study has another."""
        models = (self.local.fingerprint, self.local.base_url, self.remote.fingerprint, self.remote.base_url)
        parts = (question_hash(self.questions), *models, self.pii.fingerprint, self.plan.asking)
        return f"delegate-{hashlib.blake2b(repr(parts).encode(), digest_size=5).hexdigest()}"


async def study(
    wanted: Study,
    out: Path,
    *,
    budget: Budget | None = None,
    fresh: bool = False,
    keep: bool = False,
    progress: runs.Progress | None = None,
) -> dict[str, Any]:
    """Learn and measure: a row for each baseline and each penalty. All answers are kept in the folder `out`.

    Every question is decided on by a policy learnt on the other folds, which share no cluster with it; with `keep`
    there is also, for each penalty, one learnt on all. Raises `Incomplete` where a call is missing.
    """
    prompts = [prompt_of(question, wanted.pii) for question in wanted.questions]
    if ungraded := [question.id for question in wanted.questions if question.answers is None]:
        raise UsageError(f"question {ungraded[0]} has no known answer", hint="quality needs one: give it answers")
    with runs.claimed(out, wanted.identity, fresh=fresh):
        journal = Journal(out)
        models = {"subject": wanted.local, REMOTE: wanted.remote}
        callers = {role: Caller(model, journal, budget=budget) for role, model in models.items()}
        desk = Desk(wanted.questions, prompts, wanted.plan, callers)
        try:
            rows, kept = await _studied(wanted, desk, keep, progress)
        except CallFailed as failed:
            raise Incomplete(
                f"a call is missing: {failed}", hint="the same command goes on; a question that fails again must go"
            ) from failed
        finally:
            try:
                await flow.drain(callers)
                await asyncio.gather(*desk.came.values(), return_exceptions=True)
            finally:
                journal.close()
    return {
        "schema": SCHEMA,
        "local": wanted.local.name,
        "remote": wanted.remote.name,
        "questions": len(prompts),
        "clusters": len({question.cluster for question in wanted.questions}),
        "private": sum(len(prompt.units) for prompt in prompts),
        "rows": rows,
        "hypervolume": {kind: volume([row for row in rows if row["kind"] == kind]) for kind in ("baseline", "learnt")},
        "policies": [policy.to_json() for policy in kept],
        "calls": {role: caller.spent.calls for role, caller in callers.items()},
        "calls_saved": sum(caller.saved for caller in callers.values()),
    }


async def _studied(
    wanted: Study, desk: Desk, keep: bool, progress: runs.Progress | None
) -> tuple[list[dict[str, Any]], list[PrivacyPAD]]:
    """The rows, and the policies that are learnt on all questions."""
    from doxa.calibrators.maths.folds import fold_of

    seed = wanted.plan.asking.seed
    ways = {name: ("baseline", way) for name, way in baselines(seed).items()}
    chosen = {
        (name, kind): [way(prompt, each.id) for prompt, each in zip(desk.prompts, wanted.questions, strict=True)]
        for name, (kind, way) in ways.items()
    }
    folds = fold_of([question.cluster for question in wanted.questions], folds=FOLDS, seed=seed).tolist()
    rounds = sum(policy.epochs for policy in wanted.policies) * (len(set(folds)) + keep)
    watched = Watched(rounds, desk.callers, progress=progress)
    kept: list[PrivacyPAD] = []

    async def learnt() -> None:
        for policy in wanted.policies:
            acts: dict[int, Acts] = {}
            for fold in sorted(set(folds)):
                others = [place for place, home in enumerate(folds) if home != fold]
                found = await learn(policy, desk, others, watched)
                acts |= {
                    place: decide_all(found, desk.prompts[place]) for place, home in enumerate(folds) if home == fold
                }
            chosen[f"λ = {policy.penalty:g}", "learnt"] = [acts[place] for place in range(len(folds))]
            if keep:
                kept.append(await learn(policy, desk, range(len(folds)), watched))

    await watched.over(learnt())
    rows = [await _row(name, kind, acts, desk, seed) for (name, kind), acts in chosen.items()]
    whole = next(row["quality"]["value"] for row in rows if row["name"] == ALL_REMOTE)
    best = frontier([(row["leakage"]["value"], row["quality"]["value"]) for row in rows])
    for row in rows:
        row["preserved"] = row["quality"]["value"] / whole if whole else None
        row["frontier"] = (row["leakage"]["value"], row["quality"]["value"]) in best
    return rows, kept


# -- measuring ---------------------------------------------------------------------------------------------------------


async def _row(name: str, kind: str, acts: Sequence[Acts], desk: Desk, seed: int) -> dict[str, Any]:
    """What one way of delegating comes to on all questions."""
    from doxa.metrics.maths.verdicts import mean_shift

    came = await asyncio.gather(*(desk.try_out(place, each) for place, each in enumerate(acts)))
    cluster = [question.cluster for question in desk.questions]

    def mean(what: str, better: str) -> dict[str, Any]:
        values = [getattr(each, what) for each in came]
        found: Measurement = mean_shift(values, cluster=cluster, seed=seed)
        return asdict(replace(found, name=what, better=better))

    done = [act for each in acts for act in each]
    return {
        "name": name,
        "kind": kind,
        "quality": mean("quality", "high"),
        "leakage": mean("leakage", "low"),
        "calls": {role: sum(getattr(each, role) for each in came) / len(came) for role in ("local", "remote")},
        "acts": {act: done.count(act) / len(done) for act in ACTIONS},
    }


def frontier(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points (leakage, quality) that no other beats in both, by leakage.

    >>> frontier([(0.5, 0.9), (0.0, 0.6), (0.5, 0.7), (0.6, 0.8)])
    [(0.0, 0.6), (0.5, 0.9)]
    """
    found: list[tuple[float, float]] = []
    for point in sorted(set(points), key=lambda each: (each[0], -each[1])):
        if not found or point[1] > found[-1][1]:
            found.append(point)
    return found


def hypervolume(points: Sequence[tuple[float, float]]) -> float:
    """The area of [0, 1]² that points (leakage, quality) beat: more leakage and less quality. Higher is better.

    >>> hypervolume([(0.0, 0.5), (0.5, 1.0)])
    0.75
    """
    best = frontier(points)
    ends = [*(leakage for leakage, _ in best[1:]), 1.0]
    return sum((end - leakage) * quality for (leakage, quality), end in zip(best, ends, strict=True))


def volume(rows: Sequence[Mapping[str, Any]]) -> float:
    """The hypervolume of some rows."""
    return hypervolume([(row["leakage"]["value"], row["quality"]["value"]) for row in rows])
