"""Right, wrong, or not to be graded."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa.grading import Boolean, Choice, Date, Exact, Number, grade
from doxa.types import KINDS, Kind, Question, Verdict

FRANCE = Question(id="fr", text="What is the capital of France?", answers=("Paris", "Lutetia"))
GOLD = Question(id="au", text="What is the chemical symbol of gold?", answers=("Au",))
INDIUM = Question(id="in", text="What is the chemical symbol of indium?", answers=("In",))
KUWAIT = Question(id="kw", text="What is the capital of Kuwait?", answers=("Kuwait City", "Kuwait"))
SPAIN = Question(id="tt", text="What is the capital of Trinidad and Tobago?", answers=("Port of Spain",))
BOLIVIA = Question(id="bo", text="What is the capital of Bolivia?", answers=("Sucre", "La Paz"))
SINGAPORE = Question(id="sg", text="What is the capital of Singapore?", answers=("Singapore",))
DENAR = Question(id="mk", text="What is the currency?", answers=("Macedonian Denar", "MKD", "ALL"))
CITIES = Question(
    id="c", text="Capital of France?", answers=("Paris",), kind="choice", choices=("Rome", "Paris", "Oslo")
)
SUM = Question(id="s", text="What is 12 + 30?", answers=("42",), kind="number")
THIRD = Question(id="t", text="What is 1/3?", answers=("0.333",), kind="number")
DAY = Question(id="d", text="What date is 8 days after 19 May 2018?", answers=("2018-05-27",), kind="date")
TRUE = Question(id="b", text="Is Paris in France?", answers=("yes",), kind="boolean")


def verdict(question: Question, text: str) -> Verdict:
    return asyncio.run(grade(question, text))


@pytest.mark.parametrize(
    ("question", "reply", "correct"),
    [
        (FRANCE, "Paris", True),
        (FRANCE, "paris.", True),
        (FRANCE, "LUTETIA", True),
        (FRANCE, "The capital of France is the beautiful city of Paris, on the Seine.", True),
        (FRANCE, "Paris, France", True),
        (FRANCE, "Paris or Lutetia", True),
        (FRANCE, "I'm not sure, but maybe Paris", True),
        (FRANCE, "No, it's Paris.", True),
        (FRANCE, "It is not Lyon, but Paris.", True),
        (FRANCE, "It isn't Lyon, it is Paris", True),
        (FRANCE, "It is definitely not the lovely Paris", False),
        (FRANCE, "Lyon", False),
        (FRANCE, "France", False),
        (FRANCE, "Parisian", False),
        (FRANCE, "not Paris", False),
        (FRANCE, "It is not Paris.", False),
        (FRANCE, "Paris is not the capital", False),
        (FRANCE, "Paris or Lyon", False),
        (FRANCE, "Paris and Lyon", False),
        (FRANCE, "Lyon, Paris, Nice, Lille", False),
        (FRANCE, "...", None),
        (KUWAIT, "Kuwait", True),
        (KUWAIT, "The capital of Kuwait is Doha.", False),
        (KUWAIT, "The capital of Kuwait is Kuwait City.", True),
        (SPAIN, "Port of Spain, Trinidad and Tobago", True),
        (SPAIN, "The capital of Trinidad and Tobago is Port of Spain.", True),
        (BOLIVIA, "Sucre and La Paz", True),
        (BOLIVIA, "Sucre and Lima", False),
        (GOLD, "Au", True),
        (GOLD, "au", True),
        (GOLD, "Gold is a chemical element with the symbol Au.", True),
        (GOLD, 'Its symbol is "Au".', True),
        (GOLD, "Au contraire, it is Ag.", False),
        (INDIUM, "In chemistry, its symbol is Id", False),
        (INDIUM, "The symbol is In.", True),
        (SINGAPORE, "Singapore", True),
        (SINGAPORE, "The capital of Singapore is Singapore.", True),
        (SINGAPORE, "Country: Singapore. What is its capital?", False),
        (DENAR, "The Macedonian Drachm (MKD)", False),
        (DENAR, "The code is MKD.", True),
        (DENAR, "All Macedonian dinars", False),
        (CITIES, "B", True),
        (CITIES, "(b) Paris", True),
        (CITIES, "It is Paris", True),
        (CITIES, "C", False),
        (CITIES, "Rome", False),
        (CITIES, "A or B", None),
        (CITIES, "Lyon", None),
        (SUM, "42", True),
        (SUM, "12 + 30 = 42 km", True),
        (SUM, "forty-two", True),
        (SUM, "42.0000001", False),
        (SUM, "43", False),
        (SUM, "many", None),
        (SUM, "To find 12 plus 30, we add them.", None),
        (SUM, "12 + 30 is a well-known sum", None),
        (SUM, "The answer is 30.", False),
        (THIRD, "0.33333", False),
        (DAY, "27 May 2018", True),
        (DAY, "8 days after 19 May 2018 is May 27, 2018.", True),
        (DAY, "2018-05-28", False),
        (DAY, "19 May 2018", False),
        (DAY, "2018-05-27 or 2018-05-28", None),
        (DAY, "next week", None),
        (DAY, "8 days after 19 May 2018.", None),
        (DAY, "That is 8 days after 19 May 2018, of course.", None),
        (TRUE, "Yes, it is.", True),
        (TRUE, "True", True),
        (TRUE, "No.", False),
        (TRUE, "Who knows", None),
    ],
)
def test_verdicts(question: Question, reply: str, correct: bool | None) -> None:
    given_verdict = verdict(question, reply)
    assert given_verdict.correct is correct
    assert correct is not None or given_verdict.reason


@pytest.mark.parametrize("question", [FRANCE, CITIES, SUM, DAY, TRUE], ids=lambda question: question.kind)
@pytest.mark.parametrize("reply", ["I don't know.", "I'm sorry, but I can't help with that.", "I am not sure."])
def test_a_refusal_is_wrong_where_there_is_an_answer(question: Question, reply: str) -> None:
    assert verdict(question, reply) == Verdict(False, reason="refused")


@pytest.mark.parametrize("kind", KINDS)
def test_rules_of_all_kinds(kind: Kind) -> None:
    choices = ("x", "y") if kind == "choice" else ()
    unknown = Question(id="u", text="?", kind=kind, choices=choices)
    nothing = Question(id="n", text="What is the capital of Zorbia?", answers=(), kind=kind, choices=choices)
    assert verdict(unknown, "x") == Verdict(None, reason="gold answer unknown")
    assert verdict(nothing, " \n").correct is None and verdict(nothing, "").reason == "empty reply"
    for reply in ("I don't know.", "There is no such country.", "Zorbia does not exist.", "I cannot answer that."):
        assert verdict(nothing, reply).correct is True
    for reply in ("Zorbville", "y", "42", "2021-05-03", "yes"):
        assert verdict(nothing, reply).correct is False


@given(st.text(max_size=60), st.sampled_from(KINDS))
def test_no_reply_breaks_a_grader(reply: str, kind: Kind) -> None:
    choices = ("x", "y") if kind == "choice" else ()
    answer = {"open": "Paris", "choice": "x", "boolean": "yes", "number": "42", "date": "2021-05-03"}[kind]
    given_verdict = verdict(Question(id="q", text="?", answers=(answer,), kind=kind, choices=choices), reply)
    assert given_verdict.correct is not None or given_verdict.reason


@given(st.text(min_size=1, max_size=30).filter(str.strip), st.sampled_from([k for k in KINDS if k != "choice"]))
def test_an_accepted_answer_is_right_word_for_word(answer: str, kind: Kind) -> None:
    assert verdict(Question(id="q", text="?", answers=(answer,), kind=kind), answer).correct is True


def test_an_accepted_dont_know_is_right() -> None:
    options = ("Paris", "I don't know")
    question = Question(id="q", text="?", answers=("I don't know",), kind="choice", choices=options)
    assert verdict(question, "I don't know").correct is True and verdict(question, "B").correct is True


def test_knobs() -> None:
    assert asyncio.run(Number(relative=0.01).grade(THIRD, "0.3333")).correct is True
    assert asyncio.run(Number(absolute=1).grade(SUM, "43")).correct is True
    assert (
        asyncio.run(Number().grade(Question(id="q", answers=("1000001",), kind="number"), "1000002")).correct is False
    )
    assert asyncio.run(Date(days=1).grade(DAY, "2018-05-28")).correct is True
    assert asyncio.run(Exact(phrase=False).grade(FRANCE, "The lovely Paris")).correct is False
    assert asyncio.run(Choice().grade(CITIES, "Paris")).correct is True
    assert asyncio.run(Boolean().grade(TRUE, "no")).correct is False
