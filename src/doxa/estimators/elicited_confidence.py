"""Elicited confidence: a prompt that asks for it, a way to ask several times, and a way to put the replies together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from doxa.errors import UsageError
from doxa.estimators.elicitation.aggregation import (
    average_confidence,
    average_listed,
    consistency,
    pair_rank,
    preferences,
)
from doxa.estimators.elicitation.trials import Form, Trial, first, probe, sampled
from doxa.inquiry import Inquiry, derive_seed
from doxa.prompts import elicitation
from doxa.types import Access, Confidence, Scale

PROMPTS = ("vanilla", "cot", "self_probing", "multi_step", "top_k")
SAMPLINGS = ("self_random", "paraphrase", "misleading")
OF_ANSWERS = ("stated", "consistency", "average_confidence")
SHARES = ("consistency", "average_confidence", "average_top1")
OF_LISTS = ("stated", "consistency", "average_top1", "average_topk", "pair_rank")


@dataclass(frozen=True)
class ElicitedConfidence:
    """The grid of prompt, sampling and aggregation: how sure several replies are, in what they say and how they agree.

    Range [0, 1], higher is surer; the number is about the method's own answer. Xiong et al. 2023, Can LLMs Express
    Their Uncertainty? (arXiv 2306.13063); wordings and worked examples are ours.

    `prompt`: "vanilla" asks for answer and confidence in a line, "cot" for an explanation first, "multi_step" for
    `steps` with a confidence each, whose product counts, "top_k" for `k` guesses with a probability each.
    "self_probing" shows an answer, a sample of the question or one given to the vanilla prompt, in a fresh conversation
    and asks for reasons and the confidence in it.

    `sampling`: "self_random" draws `samples` replies at `temperature`; "paraphrase" takes the likeliest reply to as
    many wordings of the instruction; "misleading" the likeliest to the question as it is and to that with each of
    `samples` − 1 hints at another answer. The authors make hints to number questions from the truth, which no estimator
    knows: here it is the model's unhinted answer plus a random whole number of at most its size; for open questions
    another sampled answer, or a made-up word; for choice and boolean questions any option, as theirs.

    `aggregation`: "consistency" is the share of replies that give an answer, "average_confidence" that share weighted
    by what is stated (for a list "average_top1", of first guesses), "average_topk" the mean of what is stated in an
    answer wherever it is listed, "pair_rank" the distribution under which lists drawn without replacement would rank
    the answers so, from a random start as in their code. The answer with the highest number is the own answer; with
    hints it is the unhinted one and the hinted replies are counted, so one that none of these gives has 0. "stated" is
    the confidence in a single likeliest reply (`samples=1`), in a list that in its first guess.

    A reply without a readable answer counts as another answer, and what it states in the sum that average_confidence
    divides by, as formulas and released code have it; with `readable_only` both are left out. `as_released` leaves out
    the logarithm of pair_rank's loss, as that code does. Raises `UsageError` for a combination that makes no sense.
    """

    prompt: str = "vanilla"
    sampling: str = "self_random"
    aggregation: str = "average_confidence"
    samples: int = 5
    temperature: float = 0.7
    k: int = 4
    steps: int = 3
    readable_only: bool = False
    as_released: bool = False

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("express-uncertainty-eval",)
    coverage: ClassVar[str] = "full"
    spelled: ClassVar[str] = "elicited_confidence(prompt='top_k',aggregation='pair_rank')"
    helps: ClassVar[str] = "Only text is to be had: how replies agree tempers the overconfidence each of them states."
    fails: ClassVar[str] = "The model is too small to keep to a form, or states the same confidence whatever it says."

    def __post_init__(self) -> None:
        """Check the knobs one by one, then together."""
        for knob, value, known in (("prompt", self.prompt, PROMPTS), ("sampling", self.sampling, SAMPLINGS)):
            if value not in known:
                raise UsageError(f"no {knob} named {value!r}", hint=f"there are: {', '.join(known)}")
        fitting = OF_LISTS if self.prompt == "top_k" else OF_ANSWERS
        if self.aggregation not in fitting:
            message = f"aggregation {self.aggregation!r} does not go with prompt {self.prompt!r}"
            raise UsageError(message, hint=f"with it go: {', '.join(fitting)}")
        if (self.aggregation == "stated") != (self.samples == 1):
            message = f"aggregation {self.aggregation!r} of {self.samples} samples says nothing"
            raise UsageError(message, hint="a single reply goes with aggregation='stated' and samples=1")
        if self.aggregation == "stated" and self.sampling != "self_random":
            raise UsageError(f"sampling {self.sampling!r} needs several replies", hint="give samples=5, for example")
        for knob, most in (("samples", self._most), ("k", elicitation.MOST_GUESSES), ("steps", elicitation.MOST_STEPS)):
            if not 1 <= getattr(self, knob) <= most:
                raise UsageError(f"{knob} cannot be {getattr(self, knob)} here", hint=f"{knob} is 1 to {most}")
        for knob, wanted, value, fits in (
            ("k", "prompt", self.prompt, ("top_k",)),
            ("steps", "prompt", self.prompt, ("multi_step",)),
            ("readable_only", "aggregation", self.aggregation, SHARES),
            ("as_released", "aggregation", self.aggregation, ("pair_rank",)),
        ):
            if getattr(self, knob) != getattr(type(self), knob) and value not in fits:
                raise UsageError(f"{knob} changes nothing here", hint=f"it goes with {wanted} {' or '.join(fits)}")

    @property
    def _most(self) -> int:
        """How many replies there are wordings or hints for; of drawn ones as many as have seeds of their own."""
        return {"paraphrase": len(elicitation.TASKS), "misleading": len(elicitation.HINTS)}.get(self.sampling, 1024)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Ask as often as wanted and put the replies together."""
        trials = await self._trials(inquiry)
        own = trials.pop(0)[0] if self.sampling == "misleading" else None
        if self.prompt == "self_probing":
            trials = await probe(inquiry, trials)
        scores = self._scores(inquiry, trials)
        details = {"replies": len(trials), "readable": sum(first(trial).form is not None for trial in trials)}
        if not scores:
            lacks = "states a readable confidence above 0" if details["readable"] else "holds a readable answer"
            return Confidence(None, self.scale, f"no reply {lacks}", details=details)
        best = own.form if own and own.form else max(scores, key=scores.__getitem__)
        answer = own.text if own else next(each.text for trial in trials for each in trial if each.form == best)
        return Confidence(scores.get(best, 0.0), self.scale, answer=answer, details=details)

    async def _trials(self, inquiry: Inquiry) -> list[Trial]:
        """All replies; where there are hints, the one without comes first, which must then hold a readable answer."""
        options = {"choice": len(inquiry.choices), "boolean": 2}.get(inquiry.kind, self.k)
        count = {"top_k": min(self.k, options), "multi_step": self.steps}.get(self.prompt, 0)
        form = Form("vanilla" if self.prompt == "self_probing" else self.prompt, count)
        match self.sampling:
            case "misleading":
                return await form.misled(inquiry, self.samples - 1, self.temperature)
            case "paraphrase":
                return await form.paraphrased(inquiry, self.samples)
            case _ if self.prompt == "self_probing":
                return await sampled(inquiry, self.samples, self.temperature)
            case _ if self.samples == 1:
                return [await form.once(inquiry)]
            case _:
                return await form.drawn(inquiry, self.samples, self.temperature)

    def _scores(self, inquiry: Inquiry, trials: Sequence[Trial]) -> dict[str, float]:
        """The number of each answer."""
        firsts = [first(trial) for trial in trials]
        answers, stated = [each.form for each in firsts], [each.confidence for each in firsts]
        lists = [[(each.form, each.confidence) for each in trial if each.form is not None] for trial in trials]
        match self.aggregation:
            case "stated":
                return {a: c for a, c in zip(answers, stated, strict=True) if a is not None and c is not None}
            case "consistency":
                return consistency(answers, readable_only=self.readable_only)
            case "average_topk":
                return average_listed(lists)
            case "pair_rank":
                named, table = preferences([[form for form, _ in guesses] for guesses in lists])
                seed = derive_seed(inquiry.asking.seed, inquiry.id, "pair rank")
                start = np.random.default_rng(seed).standard_normal(len(named))
                found = pair_rank(table, start, as_released=self.as_released)
                return dict(zip(named, found.tolist(), strict=True))
            case _:
                return average_confidence(answers, stated, readable_only=self.readable_only)
