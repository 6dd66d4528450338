"""Step confidence: the rule for drops, what is asked after each line, and planted beliefs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa import prompts
from doxa.estimators.chains import read_chain
from doxa.estimators.step_confidence import StepConfidence, relative_changes, spans, step_labels
from doxa.inquiry import Caller, Inquiry
from doxa.models.mock import Mock
from doxa.models.planted.beliefs import beliefs
from doxa.questions.planted import Planted
from doxa.types import Capabilities, Confidence, Question, Reply, Request, Token


@pytest.mark.parametrize(
    ("values", "good"),
    [
        ([0.5, 0.2], [False]),  # -0.6
        ([0.5, 0.25], [True]),  # -0.5 is not below -0.5
        ([0.5, 0.2, 0.9, 0.9], [False, False, False]),
        ([0.9, 0.8, 0.3, 0.3], [True, False, False]),
        ([9e-6, 0.9], [False]),  # nothing to lose
        ([0.5, 0.25, 1e-6, 1.0], [True, False, False]),
        ([0.2, 0.9, 1.0], [True, True]),
        ([0.4], []),
        ([], []),
    ],
)
def test_a_step_that_takes_more_than_half_is_bad_and_so_is_all_after_it(
    values: Sequence[float], good: Sequence[bool]
) -> None:
    assert step_labels(values) == list(good)


def test_relative_changes_of_the_published_example() -> None:
    assert relative_changes([0.5, 0.2]) == [pytest.approx(-0.6)]
    assert relative_changes([0.5, 0.25]) == [-0.5]
    assert relative_changes([0.0, 1.0]) == [None]


@given(st.lists(st.integers(0, 1000), max_size=8))
def test_labels_agree_with_exact_arithmetic(thousandths: list[int]) -> None:
    exact = [Fraction(value, 1000) for value in thousandths]
    first_bad = next(
        (i for i in range(1, len(exact)) if exact[i - 1] < Fraction(1, 10**5) or 2 * exact[i] < exact[i - 1]), None
    )
    if all(exact[i - 1] == 0 or 2 * exact[i] != exact[i - 1] for i in range(1, len(exact))):
        labels = step_labels([value / 1000 for value in thousandths])
        assert labels == [first_bad is None or i < first_bad for i in range(1, len(exact))]


class Doubter:
    """A model that reasons in two steps and gives "right" these probabilities, the more lines it is shown."""

    capabilities = Capabilities(logprobs=True, top_logprobs=5)

    def __init__(self, text: str, *values: float) -> None:
        self.text, self.values, self.shown = text, values, list[str]()

    async def call(self, request: Request) -> Reply:
        import math

        asked = request.messages[-1].content
        if "Reasoning so far:" not in asked:
            return Reply(self.text)
        lines = asked.partition("Reasoning so far:\n")[2].partition("\nWill the final answer")[0]
        self.shown.append(lines)
        p = self.values[0 if lines == "(nothing yet)" else len(lines.splitlines())]
        return Reply("A", (Token("A", math.log(p), (("A", math.log(p)), ("B", math.log(1 - p)))),))


def confidence(model: Doubter) -> Confidence:
    async def work() -> Confidence:
        messages = prompts.render(Question("q", "How many?", kind="number"))
        return await StepConfidence().estimate(Inquiry("q", messages, {"subject": model}, "number"))

    return asyncio.run(work())


TEXT = "Step 1: 3 x 4 = 12.\nStep 2: 12 - 2 = 9.\nAnswer: 9 books\nStep 3: More."


def test_it_asks_after_every_line_and_tells_where_the_value_falls() -> None:
    model = Doubter(TEXT, 0.6, 0.8, 0.2, 0.3)
    found = confidence(model)
    assert model.shown == [
        "(nothing yet)",
        "3 x 4 = 12.",
        "3 x 4 = 12.\n12 - 2 = 9.",
        "3 x 4 = 12.\n12 - 2 = 9.\nAnswer: 9 books",
    ]
    assert found.value == pytest.approx(0.3) and found.answer == "9 books"
    assert [(TEXT[part.start : part.end], part.value) for part in found.parts] == [
        ("3 x 4 = 12.", pytest.approx(0.8)),
        ("12 - 2 = 9.", pytest.approx(0.2)),
        ("9 books", pytest.approx(0.3)),
    ]
    assert found.details == pytest.approx({"before": 0.6, "after": 0.3, "lowest_change": -0.75, "bad_lines": 2})


@pytest.mark.parametrize("text", ["Step 1: I wonder.", "Step 1: Hm.\nAnswer: I don't know.", "Answer:", ""])
def test_a_chain_without_a_readable_answer_has_no_number(text: str) -> None:
    found = confidence(Doubter(text, 0.5, 0.5, 0.5))
    assert (found.value, found.answer, found.reason) == (None, None, "the chain has no readable answer")


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6), max_size=5), st.text("ab", min_size=1)
)
def test_spans_are_the_lines(lines: list[str], answer: str) -> None:
    written = read_chain("\n".join([*(f"Step {n}: {line}" for n, line in enumerate(lines, 1)), f"Answer: {answer}"]))
    assert [written.text[start:end] for start, end in spans(written)] == [*written.steps, written.answer]


def test_planted_beliefs_are_recovered() -> None:
    async def work(question: Question) -> Confidence:
        inquiry = Inquiry(
            question.id, prompts.render(question), {"subject": Caller(Mock())}, question.kind, question.choices
        )
        return await StepConfidence().estimate(inquiry)

    for question in Planted(n=40).questions():
        found, believed = asyncio.run(work(question)), beliefs(question.text)
        assert found.value == pytest.approx(max(believed.values()), abs=1e-9)
        assert found.answer is not None and found.value == pytest.approx(believed[found.answer], abs=1e-9)
        assert found.details["bad_lines"] == 0 and len(found.parts) == 3
