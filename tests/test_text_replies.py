"""What replies say: the short answer, the option, yes or no, or that they do not know."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa import text as t

CITIES = ("Rome", "Paris", "Bern", "New York")


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("Paris", "Paris"),
        ("The capital of France is Paris.", "Paris"),
        ("Paris is the capital of France.", "Paris"),
        ("It's **Paris**, a city on the Seine", "Paris"),
        ("Sure!\n\nThe capital is:\nParis", "Paris"),
        ("Answer: Paris", "Paris"),
        ("My answer: Lyon\nFinal answer: Paris", "Paris"),
        ("We see that \\boxed{\\text{Paris}}.", "Paris"),
        ("I'm not sure. My best guess is Paris.", "Paris"),
        ("I'm not sure, but I think it is Paris.", "Paris"),
        ("Paris, I think.", "Paris"),
        ("What is it? It is Rome.", "Rome"),
        ("The capital is Washington, D.C. It lies on the Potomac.", "Washington, D.C"),
        ("The capital is St. John's. Bye", "St. John's"),
        ("The symbol is K. Potassium is a metal.", "K"),
        ("United States dollar (USD)", "United States dollar"),
        ("Die Hauptstadt von Frankreich ist Paris.", "Paris"),
        ("La capitale de la France est Paris.", "Paris"),
        ("Столица Франции — Париж.", "Париж"),
        ("パリです。", "パリ"),
        ("- Port-au-Prince", "Port-au-Prince"),
        ("### 1. Paris", "Paris"),
        ("3*4=12", "3*4=12"),
        ("", ""),
    ],
)
def test_the_short_answer_of_a_chatty_reply(reply: str, answer: str) -> None:
    assert t.short_answer(reply).rstrip(".") == answer


@pytest.mark.parametrize(
    "reply",
    [
        "I don't know",
        "I don’t know.",
        "i do not know the capital of Zorbia.",
        "Sorry, I don't know.",
        "I'm not sure.",
        "Unknown",
        "I cannot answer that question.",
        "I have no idea",
        "Answer: I don't know",
        "The capital of Zorbia? I do not know.",
        "I don't know. The capital could be X.",
        "The capital of Zorb is not known.",
        "The capital of Zorb is not explicitly mentioned in the passage.",
        "Ich weiß es nicht.",
        "Je ne sais pas.",
        "No lo sé.",
        "Я не знаю.",
        "わかりません。",
        "我不知道。",
        "मुझे पता नहीं।",
        "لا أعرف",
    ],
)
def test_replies_that_do_not_know(reply: str) -> None:
    assert t.says_unknown(reply)
    assert t.canonical(reply, "open") is None


@pytest.mark.parametrize(
    "reply",
    [
        "I know it is Rome",
        "Nobody knows",
        "Nowhere",
        "The Unknown Soldier",
        "I'm not sure, but I think Paris.",
        "I'm not sure. Perhaps Paris?",
        "The capital is Paris. I'm not sure though.",
        "Notknown",
        "No",
        "Yes, I do know.",
        "",
    ],
)
def test_replies_that_do_know(reply: str) -> None:
    assert not t.says_unknown(reply)


def test_refusals_and_denials() -> None:
    assert t.is_refusal("I'm sorry, but I can't assist with that.")
    assert t.is_refusal("As an AI language model, I cannot have opinions.")
    assert t.is_refusal("I must decline.") and not t.is_refusal("I cannot be sure, it is Paris")
    assert not t.is_refusal("I will not withdraw my answer.") and not t.is_refusal("I won't bet.")
    assert not t.is_refusal("Paris") and not t.is_refusal("The minister cannot refuse.")
    assert t.says_nonexistent("There is no country named Zorb.") and t.says_nonexistent("Zorb doesn't exist.")
    assert t.says_nonexistent("Zorbia isn't a real country.") and t.says_nonexistent("It is not a recognized element.")
    assert not t.says_nonexistent("Its capital is not known for anything.")
    assert t.says_nonexistent("Zorbia is a fictional country.") and not t.says_nonexistent("The existing capital.")


@pytest.mark.parametrize(
    ("reply", "index"),
    [
        ("B", 1),
        ("b", 1),
        ("(B)", 1),
        ("B.", 1),
        ("b)", 1),
        ("**B**", 1),
        ("Ｂ", 1),
        ("B: Paris", 1),
        ("Answer: B", 1),
        ("The answer is (B) Paris", 1),
        ("The correct option is D, New York.", 3),
        ("I would pick D", 3),
        ("Paris.", 1),
        ("It's Paris", 1),
        ("The capital is Bern", 2),
        ("A", 0),
        ("A. Rome", 0),
        ("I pick A.", 0),
        ("B and C are wrong. Answer: D", 3),
        ("A) Rome\nB) Paris\nC) Bern\nAnswer: C", 2),
        ("New York", 3),
        ("A city in France", None),
        ("The answer is a city", None),
        ("A or B", None),
        ("Answer: A or B", None),
        ("Both A and B", None),
        ("A) Rome\nB) Paris\nC) Bern\nD) New York", None),
        ("B. Rome", None),
        ("Paris or Bern", None),
        ("E", None),
        ("york", None),
        ("I am not sure.", None),
        ("", None),
    ],
)
def test_the_option_a_reply_picks(reply: str, index: int | None) -> None:
    assert t.choice_letter(reply, CITIES) == index


def test_an_option_inside_a_longer_one_is_not_named_by_it() -> None:
    assert t.choice_letter("It is New York City.", ["New York City", "York", "New York"]) == 0
    assert t.choice_letter("B", ["B", "A"]) is None  # the letter and the text disagree


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("Yes", True),
        ("No.", False),
        ("Yes, it is", True),
        ("no, nobody", False),
        ("The statement is true.", True),
        ("The statement is incorrect.", False),
        ("Answer: No", False),
        ("Ja", True),
        ("はい", True),
        ("нет", False),
        ("I know", None),
        ("It is not true", None),
        ("yes and no", None),
        ("Nobody", None),
    ],
)
def test_yes_and_no(reply: str, said: bool | None) -> None:
    assert t.yes_no(reply) is said


@pytest.mark.parametrize(
    ("one", "other", "kind", "same"),
    [
        ("Paris", "The capital is Paris.", "open", True),
        ("Paris", "Lyon", "open", False),
        ("1,000", "1000.0", "number", True),
        ("forty-two", "42", "number", True),
        ("0", "-0", "number", True),
        ("1000001", "1000002", "number", False),
        ("3 May 2021", "It is 2021-05-03.", "date", True),
        ("B", "Paris", "choice", True),
        ("A", "Paris", "choice", False),
        ("Yes.", "true", "boolean", True),
        ("I don't know", "I don't know", "open", False),
        ("", "", "open", False),
    ],
)
def test_same_answers(one: str, other: str, kind: str, same: bool) -> None:
    assert t.same_answer(one, other, kind, CITIES) is same is t.same_answer(other, one, kind, CITIES)


REPLIES = st.sampled_from(
    ["Paris", "paris!", "It is Paris.", "B", "Rome", "A", "42", "forty-two", "yes", "No.", "I don't know", ""]
)


@given(REPLIES, REPLIES, st.sampled_from(["open", "choice", "number", "boolean", "date"]))
def test_same_answer_is_equality_of_canonical_forms(one: str, other: str, kind: str) -> None:
    form = t.canonical(one, kind, CITIES)
    assert t.same_answer(one, other, kind, CITIES) is (form is not None and form == t.canonical(other, kind, CITIES))
