"""P(True) after judged examples: what is shown, in which order, how much of it, and P(True) as it was released."""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import Callable, Sequence

import pytest

from doxa import prompts
from doxa.errors import Unavailable, UsageError
from doxa.estimators.p_true import PTrue
from doxa.estimators.p_true_few_shot import PTrueFewShot
from doxa.estimators.p_true_samples import PTrueSamples
from doxa.inquiry import Asking, Caller, Inquiry
from doxa.models.mock import Mock
from doxa.questions.planted import Planted
from doxa.types import Capabilities, Confidence, Failure, Message, Outcome, Reply, Request, Scale, Token

TRUE, FALSE = prompts.TRUE_FALSE


class Script:
    """Replies "R" and the question's last word, sample number i with i after it; scores letters as told."""

    def __init__(self, letters: dict[str, float], fails: Sequence[str] = ()) -> None:
        self.letters, self.fails, self.asked = letters, fails, list[Request]()
        self.capabilities = Capabilities(logprobs=True, score=True)

    async def call(self, request: Request) -> Outcome:
        self.asked.append(request)
        last = request.messages[-1].content
        if any(word in last for word in self.fails):
            return Failure("timeout", "too late")
        if request.continuation is not None:
            p = self.letters[request.continuation]
            return Reply(request.continuation, (Token(request.continuation, math.log(p) if p else -math.inf),))
        number = "" if request.seed is None else str(request.seed % 1024)
        return Reply(f"R{last.split()[-1]}{number}")


def inquiries(names: Sequence[str], script: Script) -> list[Inquiry]:
    return [Inquiry(name, (Message("user", f"What is {name}"),), {"subject": script}) for name in names]


async def fitted(estimator: PTrueFewShot, script: Script, names: Sequence[str], right: Sequence[bool]) -> PTrueFewShot:
    return await estimator.fit(inquiries(names, script), right)


def judge(estimator: PTrueFewShot, script: Script, names: Sequence[str], right: Sequence[bool]) -> Confidence:
    async def work() -> Confidence:
        learnt = await fitted(estimator, script, names, right)
        return await learnt.estimate(*inquiries(["x"], script))

    return asyncio.run(work())


def in_order(names: Sequence[str]) -> list[str]:
    return sorted(names, key=lambda name: hashlib.blake2b(name.encode(), digest_size=8).digest())


NAMES = [f"n{i:02}" for i in range(30)]
RIGHT = [i % 3 == 0 for i in range(30)]


def test_twenty_judged_questions_come_first_each_answered_by_its_letter() -> None:
    script = Script({TRUE: 0.2, FALSE: 0.3})
    found = judge(PTrueFewShot(), script, NAMES, RIGHT)
    assert (found.value, found.scale) == (pytest.approx(0.4), Scale.UNIT)
    assert found.provenance == "after 20 examples"
    *shown, last = script.asked[-1].messages
    assert [turn.role for turn in shown] == ["user", "assistant"] * 20
    chosen = in_order(NAMES)[:20]
    for name, asked, letter in zip(chosen, shown[::2], shown[1::2], strict=True):
        (alone,) = prompts.p_true((Message("user", f"What is {name}"),), f"R{name}")
        assert asked == alone and letter.content == (TRUE if RIGHT[NAMES.index(name)] else FALSE)
    assert last == prompts.p_true((Message("user", "What is x"),), "Rx")[0]


def test_the_order_of_the_questions_plays_no_part() -> None:
    async def work() -> tuple[PTrueFewShot, PTrueFewShot]:
        script = Script({})
        return (
            await fitted(PTrueFewShot(shots=5), script, NAMES, RIGHT),
            await fitted(PTrueFewShot(shots=5), script, NAMES[::-1], RIGHT[::-1]),
        )

    one, other = asyncio.run(work())
    assert one == other and hash(one) == hash(other) and one != PTrueFewShot(shots=5)


def test_with_ideas_every_example_shows_those_of_its_question() -> None:
    script = Script({TRUE: 0.5, FALSE: 0.5})
    judge(PTrueFewShot(shots=2, ideas=5), script, NAMES, RIGHT)
    first, _, second, _, last = script.asked[-1].messages
    for name, turn in zip([*in_order(NAMES)[:2], "x"], (first, second, last), strict=True):
        ideas = turn.content.split("brainstormed ideas:\n")[1].split("\nPossible answer")[0].split("\n")
        assert [idea[: len(name) + 1] for idea in ideas] == [f"R{name}"] * 5 and len(set(ideas)) == 5
    assert {request.temperature for request in script.asked if request.seed is not None} == {1.0}


def test_what_is_shown_is_what_fits() -> None:
    script = Script({TRUE: 0.5, FALSE: 0.5})
    names = [*NAMES, *(f"{name}{'-' * 3000}" for name in NAMES)]
    one = len(prompts.p_true((Message("user", "What is n00"),), "Rn00")[0].content)
    found = judge(PTrueFewShot(room=7 * one + 20), script, names, [*RIGHT, *RIGHT])
    assert found.provenance == "after 7 examples"
    assert all("---" not in turn.content for turn in script.asked[-1].messages)
    with pytest.raises(Unavailable, match="none of 30 questions fits"):
        judge(PTrueFewShot(room=one - 1), script, NAMES, RIGHT)
    with pytest.raises(Unavailable, match="no other graded question"):
        judge(PTrueFewShot(), script, [], [])


def test_a_question_whose_call_failed_is_no_example() -> None:
    gone = in_order(NAMES)[0]
    script = Script({TRUE: 0.5, FALSE: 0.5}, fails=[gone])
    assert judge(PTrueFewShot(shots=29), script, NAMES, RIGHT).provenance == "after 29 examples"
    assert all(gone not in turn.content for turn in script.asked[-1].messages)


@pytest.mark.parametrize("knobs", [{"shots": 0}, {"ideas": -1}])
def test_senseless_knobs_are_refused(knobs: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="shots and"):
        PTrueFewShot(**knobs)


@pytest.mark.parametrize(("ideas", "plain"), [(0, PTrue()), (5, PTrueSamples())])
def test_without_examples_it_is_the_zero_shot_form(ideas: int, plain: PTrue | PTrueSamples) -> None:
    async def work() -> tuple[Confidence, Confidence]:
        caller = Caller(Mock())
        question = Planted(n=1).questions()[0]
        inquiry = Inquiry(question.id, prompts.render(question), {"subject": caller}, asking=Asking(top_logprobs=5))
        return await PTrueFewShot(ideas=ideas).estimate(inquiry), await plain.estimate(inquiry)

    one, other = asyncio.run(work())
    assert one == other and one.value is not None


def released(letters: dict[str, float]) -> Callable[[], Confidence]:
    return lambda: asyncio.run(PTrue(as_released=True).estimate(*inquiries(["x"], Script(letters))))


def test_as_released_it_is_the_logarithm_of_true_whatever_false_has() -> None:
    for false in (0.1, 0.7):
        found = released({TRUE: 0.25, FALSE: false})()
        assert (found.value, found.scale) == (pytest.approx(math.log(0.25)), Scale.REAL)


def test_as_released_a_letter_that_was_not_seen_has_no_logarithm() -> None:
    with pytest.raises(Unavailable, match="not among the likeliest"):
        released({TRUE: 0.0, FALSE: 0.5})()
