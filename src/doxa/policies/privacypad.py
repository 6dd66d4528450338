"""Which chunks of a prompt stay on this machine: a policy learnt by trial, on quality less leaked private data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from doxa.errors import DataError, UsageError
from doxa.metrics.maths.checks import check
from doxa.state import dump, load
from doxa.types import Act, Case, Decision, Scale

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from doxa.metrics.maths.checks import Floats, Ints
    from doxa.policies.maths.policy_gradient import Chunks

ACTIONS: tuple[Act, ...] = ("keep_local", "mask", "escalate")
"""What may be done with a chunk, the most private first; to escalate it is to send it as it is."""
PRIVATE, ALREADY = "pii", "already_sent"
"""Details of a case: the pieces of private data in a chunk, and the share of them that was sent before."""


@dataclass(frozen=True, slots=True)
class PrivacyPAD:
    """Keep each chunk of a prompt on this machine, send it to the remote model, or send it with marks for private data.

    The chunks are decided on in turn; a case's details are what is known of one. The policy is a softmax over the three
    acts, linear in the details, and `decide` takes the likeliest. It is learnt by REINFORCE: in each of `epochs` rounds
    every prompt is decided on `samples` times at random, rewarded by quality − `penalty` · leakage, and the weights go
    `rate` along the gradient, with the mean of a prompt's other rewards as the baseline. In the first half of the
    epochs the penalty grows from 0 to its full height: with all of it at once sending is given up before it is known
    where it is worth it. Leakage is the share of a prompt's different pieces of private data that are sent as they are;
    quality is in [0, 1]. `explore` and `improved` are one round.

    `fit`, to which confidences of whole answers tell nothing of chunks, leaves it unlearnt: chunks with private data
    stay, others are sent. The setting is that of Hui, Dong, Sivapiromrat, Shareghi and Collier 2025, PrivacyPAD: A
    Reinforcement Learning Framework for Dynamic Privacy-Aware Delegation (arXiv 2510.16054), whose learner and data are
    unreleased; what is known of a chunk, masking as a third act, and the learner are ours.
    """

    penalty: float = 1.0
    epochs: int = 100
    samples: int = 4
    rate: float = 5.0
    seed: int = 0
    _names: tuple[str, ...] | None = None
    _weights: tuple[tuple[float, ...], ...] | None = None
    """An act a row, in the order of `ACTIONS`: a number a name, one for what was sent before, and a constant."""

    implements: ClassVar[tuple[str, ...]] = ("privacypad",)
    coverage: ClassVar[str] = (
        "partial: chunks kept, masked or sent, learnt by policy gradient, with the frontier; without the paper's own "
        "learner and medical data, which are unreleased"
    )
    command: ClassVar[str] = (
        "doxa delegate bank:private_notes --local mock/hasty --remote mock/honest --penalties 0,0.3,1,3"
    )
    learnt_by: ClassVar[str] = "doxa delegate"
    """The verb that has what it is learnt from, which is more than a confidence and an outcome."""

    def __post_init__(self) -> None:
        """Refuse numbers that make no sense."""
        for name, least in (("penalty", 0.0), ("epochs", 1), ("samples", 2), ("rate", 0.0), ("seed", 0)):
            if not least <= getattr(self, name) < math.inf:
                raise UsageError(f"{name}={getattr(self, name)!r}", hint=f"a number from {least:g} upwards")

    def fit(self, *, confidence: ArrayLike, correct: ArrayLike, cluster: Sequence[Any] | None = None) -> Self:
        """A copy that has learnt nothing, as these tell nothing of chunks. Raises `DataError` for bad values."""
        check(confidence, correct, Scale.REAL)
        return replace(self, _names=(), _weights=())

    def begin(self, names: Sequence[str]) -> Self:
        """A copy that does everything as likely, ready to learn from chunks with these details."""
        from doxa.policies.maths.policy_gradient import width

        return replace(self, _names=tuple(names), _weights=((0.0,) * width(len(names)),) * len(ACTIONS))

    def explore(self, prompts: Sequence[Chunks], epoch: int) -> list[tuple[Ints, Floats]]:
        """For each prompt `samples` rows of acts, by number, and their scores; `seed` and `epoch` decide."""
        import numpy as np

        from doxa.policies.maths.policy_gradient import follow

        random, weights = np.random.default_rng([self.seed, epoch]), np.array(self._weights)
        return [follow(weights, each, random.random((self.samples, len(each.held)))) for each in prompts]

    def improved(
        self, prompts: Sequence[Chunks], tried: Sequence[tuple[Ints, Floats]], quality: Floats, epoch: int
    ) -> Self:
        """A copy one step up the gradient; `quality` (prompts, samples) is of what `explore` tried in that epoch."""
        import numpy as np

        from doxa.policies.maths.policy_gradient import gradient

        if quality.shape != (len(prompts), self.samples) or not ((quality >= 0) & (quality <= 1)).all():
            raise DataError(f"quality of {quality.shape}", hint="a number in [0, 1] for each prompt and sample")
        penalty = self.penalty * min(1.0, 2 * epoch / self.epochs)
        step = sum(
            gradient(scores, worth - penalty * each.leaked(actions))
            for each, (actions, scores), worth in zip(prompts, tried, quality, strict=True)
        )
        moved = np.array(self._weights) + self.rate * step / len(prompts)
        return replace(self, _weights=tuple(map(tuple, moved.tolist())))

    def decide(self, case: Case) -> Decision:
        """The likeliest act for one chunk; of equals the more private. A detail that is not known counts as 0."""
        known = {name: value or 0.0 for name, value in case.details.items()}
        if not known:
            return Decision("keep_local", case.confidence, reason="nothing is known of the chunk")
        if not self._weights:
            act: Act = "keep_local" if known.get(PRIVATE, 1.0) else "escalate"
            has = "has" if known.get(PRIVATE, 1.0) else "has no"
            return Decision(act, case.confidence, reason=f"nothing is learnt, and the chunk {has} private data")
        import numpy as np

        from doxa.policies.maths.policy_gradient import probabilities

        state = [known.get(name, 0.0) for name in (*(self._names or ()), ALREADY)]
        p = probabilities(np.array(self._weights), np.array([*state, 1.0]))
        best = int(p.argmax())
        return Decision(ACTIONS[best], case.confidence, reason=f"learnt with probability {p[best]:.3f}")

    def to_json(self) -> dict[str, Any]:
        """Knobs and weights as JSON-able values."""
        return dump(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The policy that `to_json` wrote."""
        return load(cls, data)
