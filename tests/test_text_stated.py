"""The parser of stated confidence: replies made from a value that is known, among numbers that are not it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doxa.text import first_decimal, stated_percent

LOW = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen
"""
HIGH = "twenty thirty forty fifty sixty seventy eighty ninety"


def in_words(n: int) -> str:
    """A whole number up to a hundred in words, worked out apart from the parser."""
    if n == 100:
        return "one hundred"
    if n < 20:
        return LOW.split()[n]
    return HIGH.split()[n // 10 - 2] + (f"-{LOW.split()[n % 10]}" if n % 10 else "")


def in_digits(text: str, zero: str) -> str:
    """The text with digits of another script."""
    return text.translate({ord("0") + i: chr(ord(zero) + i) for i in range(10)})


MARKED = {
    "percent": lambda n: f"{n}%",
    "spaced percent": lambda n: f"{n} %",
    "percent in words": lambda n: f"{n} percent",
    "per cent": lambda n: f"{n} per cent",
    "TeX": lambda n: f"{n}\\%",
    "full width": lambda n: f"{in_digits(str(n), '０')}％",
    "Arabic": lambda n: f"{in_digits(str(n), '٠')}٪",
    "decimal comma": lambda n: f"{n},0 %",
    "decimal point": lambda n: f"{n}.0%",
    "of a hundred": lambda n: f"{n} out of 100",
    "slash": lambda n: f"{n}/100",
    "of ten": lambda n: f"{n // 10 if n % 10 == 0 else n / 10} out of 10",
    "words": lambda n: f"{in_words(n)} percent",
    "words of ten": lambda n: f"{in_words(n // 10)} out of ten" if n % 10 == 0 else f"{in_words(n)} out of a hundred",
    "German": lambda n: f"{n} Prozent",
}
"""Forms that say by themselves that they are a share."""
UNMARKED = {
    "bare": lambda n: str(n),
    "fraction": lambda n: f"{n / 100:.2f}",
    "fraction with a comma": lambda n: f"{n / 100:.2f}".replace(".", ","),
    "full width fraction": lambda n: in_digits(f"{n / 100:.2f}", "０"),
    "words alone": in_words,
}
PROSE = (
    "I am {} sure.",
    "I'd say {}.",
    "I'm about {} certain that it is right",
    "{}",
    "It is right with {}.",
    "**{}**",
)
LABELLED = (
    "Confidence: {}",
    "Probability: {}.",
    "**Confidence:** {}",
    "Confidence (0-100): {}",
    "My confidence in this answer is {}.",
    "The probability that it is right is {}",
    "<confidence>{}</confidence>",
    "<confidence> {} </confidence> </analysis>",
    '{{"confidence": {}}}',
    "confidence = {}",
)
QUESTIONS = (
    "What is 45% of 80?",
    "Which element has the atomic number 85?",
    "In 1990 a town had 20 shops and 70 percent of them closed. How many were left?",
    "Is 9 out of 10 more than 0.85?",
    "Of 100 people 62 % are sure: what are the chances that 3 of 4 are?",
)
BEFORE = (
    "",
    "Answer: 42\n",
    "Answer: 45%\n",
    "The answer is 1945. ",
    "Step 1: 12 x 3 = 36.\nStep 2: 36 - 6 = 30.\n",
    "On a scale from 0 to 100: ",
    "There are 3 reasons for it. ",
    "About 70% of the Earth is water. ",
)
EARLIER = ("I'd first say {}... no, ", "Confidence: {}. After a second thought:\n", "At first I was {} sure. Now:\n")
AFTER = (
    "",
    " I'm not 100% sure.",
    "\nThat leaves 15% doubt.",
    " because there are 3 reasons for it.",
    "\n(On a scale of 0 to 100.)",
)
RANGES = ("{a}-{b}%", "between {a} and {b}", "{a}% to {b}%", "from {a} to {b} percent", "{a}–{b} %",
          "Confidence: {a}-{b}", "{a}% or {b}%", "Confidence: between {a}% and {b}%")  # fmt: skip
BOUNDS = ("over {a}%", "at least {a}", ">{a}%", "> {a}", "{a}%+", "{a}% or more", "Confidence: less than {a}%",
          "Confidence: {a}+", "up to {a} percent", "≥{a}%", "no more than {a}%", "{a} or higher")  # fmt: skip
NOTHING = ("I am quite sure.", "I cannot say.", "Confidence: high", "Very likely.", "", "I'm not 100% sure.",
           "There is 10% doubt.", "Uncertainty: {a}%", "There is a {a}% chance that I am wrong.", "Answer: {a}",
           "The answer is {a}.", "{a} people were there.", "150%", "Confidence: 1{a}%")  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A reply to a question, and the confidence that it states, if any."""

    text: str
    question: str
    value: float | None


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Replies that state one confidence after other numbers, or several of which the last counts, or none."""
    question = draw(st.sampled_from(QUESTIONS))
    echo = draw(st.sampled_from(["", f"{question}\n", f"Question: {question} ", question.upper() + "\n"]))
    if draw(st.integers(0, 3)) == 0:
        a = draw(st.integers(11, 88))
        form = draw(st.sampled_from(RANGES + BOUNDS + NOTHING))
        return Case(echo + form.format(a=a, b=a + draw(st.integers(1, 11))), question, None)
    n = draw(st.integers(0, 100))
    labelled = draw(st.booleans())
    forms = MARKED | UNMARKED if labelled else MARKED
    shown = draw(st.sampled_from([*forms.values()]))(n)
    text = draw(st.sampled_from(LABELLED if labelled else PROSE)).format(shown)
    if draw(st.booleans()):
        first = draw(st.sampled_from([*MARKED.values()]))(draw(st.integers(0, 100)))
        text = draw(st.sampled_from(EARLIER)).format(first) + text
    return Case(echo + draw(st.sampled_from(BEFORE)) + text + draw(st.sampled_from(AFTER)), question, n / 100)


def check_case(case: Case) -> None:
    stated = stated_percent(case.text, question=case.question)
    assert stated.value == (None if case.value is None else pytest.approx(case.value, abs=1e-12)), (case, stated)
    assert bool(stated.reason) == (stated.value is None)


@settings(max_examples=2_000, deadline=None)
@given(cases())
def test_the_confidence_that_is_meant_is_read_or_none(case: Case) -> None:
    check_case(case)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(max_examples=100_000, deadline=None)
@given(cases())
def test_the_confidence_that_is_meant_is_read_or_none_a_hundred_thousand_times(case: Case) -> None:
    check_case(case)


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ("nine out of ten", 0.9),
        ("Nine times out of ten.", 0.9),
        ("9 in 10", 0.9),
        ("ninety-nine point nine percent", 0.999),
        ("ninety to ninety-five percent", None),
        ("fifty-fifty", 0.5),
        ("50/50", 0.5),
        ("One percent", 0.01),
        ("0,875", 0.875),
        (".9", 0.9),
        ("1e-2", 0.01),
        ("90-percent sure", 0.9),
        ("90 pour cent", 0.9),
        ("90 процентов", 0.9),
        ("\\boxed{85}", 0.85),
        ("$85\\%$", 0.85),
        ("Confidence: <85%>", 0.85),
        ("on a scale of 1 to 10, 8", 0.8),
        ("Confidence (1-10): 8", 0.8),
        ("Confidence: 3/4", 0.75),
        ("0.85/1", 0.85),
        ("`0.9`", 0.9),
        ("3/4", None),
        ("80/90", None),
        ("I'm confident that the answer is 42", None),
        ("The probability that the answer is 42 is high", None),
        ("I am 85% sure that the answer is 42.", 0.85),
        ("Confidence: 60. About 85% of people think so.", 0.6),
        ("1 in 10 chance of being wrong", None),
        ("I might be wrong, 60%", 0.6),
        ("60, 70, or 80%", None),
        ("There are 3 reasons", None),
        ("element 85", None),
        ("85, for two reasons", 0.85),
        ('{"answer": "1945", "confidence": 90}', 0.9),
    ],
)
def test_forms_of_stated_confidence(reply: str, value: float | None) -> None:
    stated = stated_percent(reply)
    assert stated.value == (None if value is None else pytest.approx(value, abs=1e-12))
    assert bool(stated.reason) == (value is None)


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("<answer> A </answer><confidence> 0.95 </confidence>", 0.95),
        ("<answer> 1600 </answer> <confidence> 1 </confidence>", 1.0),
        ("</think> <answer> C </answer><confidence>100.</confidence>", 1.0),
        ("<answer> 12 </answer><confidence>10.</confidence>", 0.1),
        ("<confidence>99.99999999999999.</confidence>", 0.9999999999999999),
        ("36 of 40 is 0.9 </analysis> <confidence>0.8722350595486544</confidence>", 0.8722350595486544),
        ("<confidence>0. </think><confidence> 0.01 </confidence></confidence>", 0.01),
        ("<confidence> 7 </confidence>", None),
        ("which gives <answer> 30 </answer>", None),
    ],
)
def test_fields_in_tags_on_a_scale_from_0_to_1(said: str, value: float | None) -> None:
    assert stated_percent(said, scale=1).value == value


def test_a_number_of_the_question_is_no_confidence() -> None:
    question = "Which element has the number 85, and what is 45% of it?"
    assert stated_percent(f"{question} I am quite sure.", question=question).value is None
    assert (
        stated_percent("which element has\nthe number 85, and what is 45% of it?\n7", question=question).value == 0.07
    )
    assert stated_percent("85%", question=question).value == stated_percent("85", question="85").value == 0.85


def test_the_released_pattern_takes_the_first_number_with_a_decimal_point() -> None:
    assert first_decimal("version 0.5, confidence 0.9").value == 0.5
    for unread in ("1", "90%", "90", "nine out of ten", "85.5%"):
        assert first_decimal(unread).value is None and first_decimal(unread).reason
