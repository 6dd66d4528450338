"""P(True) after examples: the model sees which of its answers to other questions were right before it judges one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from doxa import prompts
from doxa.errors import CallFailed, Unavailable, UsageError
from doxa.inquiry import Inquiry
from doxa.prompts import self_evaluation
from doxa.types import Access, Confidence, Message, Scale


@dataclass(frozen=True)
class PTrueFewShot:
    """Probability of (A) True against (B) False for the reply after judged examples: p(A) / (p(A) + p(B)).

    Range [0, 1], higher is surer. As `p_true`, or with `ideas` as `p_true_samples`, after at most `shots` other
    questions in the same form, each with its reply and the letter that was right for it. They are taken in the order of
    a hash of their ids, as many right and wrong ones as come, and as many as fit into `room` characters: models do not
    say how much they can read, and four characters are about a token. Replies here are those under judgement, where the
    paper's are drawn at temperature 1. Unfitted it shows no example. Kadavath et al. 2022, Language Models (Mostly)
    Know What They Know (arXiv 2207.05221), section 3: 20 examples and five ideas are the best form.
    """

    shots: int = 20
    ideas: int = 0
    temperature: float = 1.0
    room: int = 6000
    _judged: tuple[tuple[str, bool], ...] = ()

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("p-true-p-ik",)
    coverage: ClassVar[str] = "partial: P(True) after judged examples, with or without own samples; without P(IK)"
    example: ClassVar[str] = "bank:capitals --limit 40"
    spelled: ClassVar[str] = "p_true_few_shot,p_true_few_shot(ideas=5)"
    dear: ClassVar[bool] = True
    helps: ClassVar[str] = (
        "Some graded questions of the same kind are at hand, which show the model the form of the judgement and how "
        "often its answers are wrong."
    )
    fails: ClassVar[str] = (
        "Small models do not learn to judge from examples: on 150 capitals twenty lifted the embedded one from below "
        "chance (.35) to chance (.49)."
    )

    def __post_init__(self) -> None:
        """Raise `UsageError` for no examples or a negative number of ideas."""
        if self.shots < 1 or self.ideas < 0:
            raise UsageError(f"{self.shots} shots and {self.ideas} ideas", hint="from 1 shot and 0 ideas")

    async def fit(self, inquiries: Sequence[Inquiry], correct: Sequence[bool]) -> Self:
        """A copy that shows these questions; one whose calls failed is no example.

        Raises `Unavailable` when none of them can be shown.
        """
        judged: list[tuple[str, bool]] = []
        left = self.room
        for inquiry, right in sorted(zip(inquiries, correct, strict=True), key=lambda pair: _place(pair[0])):
            if len(judged) == self.shots:
                break
            try:
                text = (await self._asked(inquiry))[-1].content
            except (CallFailed, Unavailable):
                continue
            if len(text) <= left:
                judged.append((text, bool(right)))
                left -= len(text)
        if not inquiries:
            raise Unavailable("there is no other graded question to show")
        if not judged:
            raise Unavailable(f"none of {len(inquiries)} questions fits as an example into {self.room} characters")
        return replace(self, _judged=tuple(judged))

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Read the probabilities of the two letters after the examples."""
        messages = self_evaluation.after_judged(self._judged, await self._asked(inquiry))
        options = await inquiry.options(messages, prompts.TRUE_FALSE)
        shown = f"after {len(self._judged)} examples" if self._judged else ""
        return Confidence(options.probabilities[0], self.scale, provenance=shown)

    async def _asked(self, inquiry: Inquiry) -> tuple[Message, ...]:
        """The question whether the reply is true, by itself."""
        reply = await inquiry.reply()
        drawn = await inquiry.samples(self.ideas, temperature=self.temperature) if self.ideas else []
        return prompts.p_true(inquiry.messages, reply.text, [sample.text for sample in drawn])


def _place(inquiry: Inquiry) -> bytes:
    """Where a question stands among the examples, whatever order the questions have."""
    return hashlib.blake2b(inquiry.id.encode(), digest_size=8).digest()
