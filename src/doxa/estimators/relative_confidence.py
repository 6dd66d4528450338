"""Relative confidence: which of two answers the model is surer of, asked of many pairs, and what that makes of each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

import numpy as np

from doxa.errors import CallFailed, Unavailable, UsageError
from doxa.estimators.rating import Games, groups
from doxa.estimators.rating.bradley_terry import Prior, bradley_terry
from doxa.estimators.rating.elo import elo
from doxa.estimators.rating.schedule import close_pairs, random_pairs
from doxa.estimators.rating.trueskill import trueskill
from doxa.estimators.reading import answered, the_word
from doxa.inquiry import Inquiry
from doxa.prompts import comparing
from doxa.types import Access, Confidence, Message, Scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pairs = NDArray[np.intp]

_KNOBS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "aggregation": ("bradley_terry", "elo", "trueskill"),
        "schedule": ("random", "active"),
        "ties": ("half", "drop", "forced"),
        "prior": ("l2", "games"),
    }
)
_SCORES = dict(zip((label.lower() for label in comparing.LABELS), (1.0, 0.0), strict=True))
_PAIRING = 0.1
"""The λ of the ratings that an active schedule goes by: early ones, from few games, should not run away."""


class Player(NamedTuple):
    """A question with the reply that takes part in comparisons."""

    inquiry: Inquiry
    reply: str


@dataclass(frozen=True)
class RelativeConfidence:
    """Rating of a question in a tournament whose games ask the model of which of two of its answers it is surer.

    Range real, higher is surer; a rating ranks the questions of one run and is no probability. Each question is
    compared `comparisons` times with others on its own account and about as often on theirs; the model sees both
    questions with its own replies. `aggregation` makes ratings of the games: "bradley_terry", strengths in log-odds,
    the default since it alone does not depend on the games' order and takes the position out; "elo", which depends on
    the order (here the seed's) much; "trueskill", the mean of the belief about skill. Shrivastava, Kumar and Liang
    2025, Language Models Prefer What They Know (arXiv 2502.01126), whose parameters are the defaults.

    The `schedule` is "random" (nobody met twice), or "active": after one random round each, everybody meets who was not
    met and makes for the most open game by the ratings so far. Models prefer what is shown first, or second. So
    everybody is shown first in about half of the games, `both_orders` asks of half as many pairs in both orders, and
    the Bradley–Terry fit estimates what being first is worth: `details["position"]` in log-odds, 0 for no bias,
    whatever the aggregation.

    A reply that names neither, or both, counts half for each, or is dropped (`ties`), or the likelier label is taken
    (forced, where the model shows log-probabilities; else it is dropped). `soft` takes the label's probability for the
    score instead of what is said, where it is shown: a comparison then tells much more. `temperature` draws replies.
    `regularisation` is the λ of Bradley–Terry, as λ θ² (`prior` "l2") or as λ games won and lost against strength 0
    ("games"): the paper does not say which. `passes` are those through the games; `None` is one for Elo and TrueSkill,
    and for Bradley–Terry as many steps as it takes, where the paper stops after 5 of a kind it does not say.
    """

    aggregation: Literal["bradley_terry", "elo", "trueskill"] = "bradley_terry"
    comparisons: int = 15
    schedule: Literal["random", "active"] = "random"
    ties: Literal["half", "drop", "forced"] = "half"
    soft: bool = False
    both_orders: bool = False
    temperature: float = 0.0
    passes: int | None = None
    regularisation: float = 0.01
    prior: Prior = "l2"

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.REAL
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("relative-confidence",)
    coverage: ClassVar[str] = "full"
    helps: ClassVar[str] = "The model states one confidence everywhere, but can tell which of two answers is safer."
    fails: ClassVar[str] = "The model names a label by its place: small ones do; or there are few questions to compare."

    def __post_init__(self) -> None:
        """Check the knobs."""
        for knob, known in _KNOBS.items():
            if getattr(self, knob) not in known:
                raise UsageError(f"no {knob} {getattr(self, knob)!r}", hint=f"there are: {', '.join(known)}")
        if self.comparisons < 1 or self.regularisation <= 0 or (self.passes is not None and self.passes < 1):
            raise UsageError(
                f"comparisons {self.comparisons}, passes {self.passes}, regularisation {self.regularisation}",
                hint="comparisons and passes are at least 1, and regularisation is above 0",
            )

    async def estimate_all(self, inquiries: Sequence[Inquiry]) -> list[Confidence]:
        """Compare the questions that have an answer, and rate them."""
        found = [Confidence(None, self.scale, "there is no other answer to compare with")] * len(inquiries)
        players = []
        # By id, so that the order of the questions makes no difference.
        for place in sorted(range(len(inquiries)), key=lambda place: inquiries[place].id):
            try:
                reply, _ = await answered(inquiries[place])
                players.append((place, Player(inquiries[place], reply.text)))
            except CallFailed:
                found[place] = Confidence(None, self.scale, "a model call failed")
            except Unavailable as unavailable:
                found[place] = Confidence(None, self.scale, str(unavailable))
        if len(players) > 1:
            rated = self._rated(*await self._play([player for _, player in players]))
            for (place, _), confidence in zip(players, rated, strict=True):
                found[place] = confidence
        return found

    async def _play(self, players: Sequence[Player]) -> tuple[Games, str]:
        """All games, in the order in which they were asked, and what they rest on."""
        n, seed = len(players), players[0].inquiry.asking.seed
        rounds = max(1, self.comparisons // 2) if self.both_orders else self.comparisons
        active = self.schedule == "active"
        asked = random_pairs(n, 1 if active else rounds, seed)
        rows = await self._ask(players, asked)
        while active and (left := n * rounds - len(asked)) > 0:
            early = bradley_terry(Games.of(n, rows), regularisation=_PAIRING)
            # To half of what the position is worth: from games that all make up for it, it could not be told. And such
            # games say nothing to an aggregation that does not take it out.
            position = early.position if self.aggregation == "bradley_terry" and not self.both_orders else 0.0
            pairs = close_pairs(early.strength, asked, position / 2)[:left]
            if len(pairs) == 0:
                break
            asked = np.concatenate([asked, pairs])
            rows += await self._ask(players, pairs)
        read = "probabilities of the labels" if self._by_probability(players[0].inquiry) else "labels as said"
        return Games.of(n, rows), f"{read}, {len(asked)} pairs in the order of seed {seed}"

    async def _ask(self, players: Sequence[Player], pairs: Pairs) -> list[tuple[int, int, float]]:
        """The games of some pairs, without those that cannot be read."""
        orders = (1, -1) if self.both_orders else (1,)
        ordered = [pair[::order] for pair in pairs.tolist() for order in orders]
        scores = await asyncio.gather(*(self._score(players[first], players[second]) for first, second in ordered))
        return [(*pair, score) for pair, score in zip(ordered, scores, strict=True) if score is not None]

    async def _score(self, first: Player, second: Player) -> float | None:
        """The score of the one shown first, who asks; `None` if the call failed or is dropped as unreadable."""
        messages = comparing.surer((first.inquiry.messages, first.reply), (second.inquiry.messages, second.reply))
        try:
            named = await self._named(first.inquiry, messages)
        except (CallFailed, Unavailable):  # a failure is counted by the caller; one game less
            return None
        return 0.5 if named is None and self.ties == "half" else named

    async def _named(self, inquiry: Inquiry, messages: Sequence[Message]) -> float | None:
        """1 for the first label, 0 for the second, or in between by their probabilities; `None` for neither or both."""
        if not self._by_probability(inquiry):
            said = await inquiry.ask(messages, temperature=self.temperature, max_tokens=8)
            return the_word(said.text, _SCORES)
        p, _ = (await inquiry.options(messages, comparing.LABELS)).probabilities
        return p if self.soft else float(p > 0.5) + float(p == 0.5) / 2

    def _by_probability(self, inquiry: Inquiry) -> bool:
        """Whether labels are read off probabilities."""
        offers = inquiry.callers["subject"].capabilities
        return (self.soft or self.ties == "forced") and (offers.score or offers.top_logprobs > 0)

    def _rated(self, games: Games, provenance: str) -> list[Confidence]:
        """A confidence for each player."""
        by_strength = self.aggregation == "bradley_terry"
        fit = bradley_terry(
            games,
            regularisation=self.regularisation,
            prior=self.prior,
            passes=self.passes if by_strength else None,
        )
        if self.aggregation == "elo":
            ratings = elo(games, passes=self.passes or 1)
        else:
            ratings = fit.strength if by_strength else trueskill(games, passes=self.passes or 1).mu
        played, won = games.totals(1.0, 1.0), games.totals(games.score, 1 - games.score)
        apart = len(set(groups(games)[played > 0].tolist()))
        note = f"{provenance}; {apart} groups that no comparison connects" if apart > 1 else provenance
        common = {"position": fit.position, "first_won": float(games.score.mean()) if played.any() else None}
        return [
            Confidence(float(rating), self.scale, details={"games": n, "won": w, **common}, provenance=note)
            if n
            else Confidence(None, self.scale, "none of its comparisons could be read")
            for rating, n, w in zip(ratings.tolist(), played.tolist(), won.tolist(), strict=True)
        ]
