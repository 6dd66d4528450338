"""Words, numbers, dates, stated confidence and sums in texts."""

from __future__ import annotations

import re
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa import text as t
from doxa.errors import UsageError


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("São Tomé", "sao tome"),
        ("The  Hague!", "hague"),
        ("ＰＡＲＩＳ", "paris"),
        ("St. John’s", "st johns"),
        ("Straße", "STRASSE"),
        ("Łódź", "lodz"),
        ("1,000", "1000"),
        ("l’Aquila", "l aquila"),
        ("U.S. dollar", "u s dollar"),
        ("Pa\u200bris", "paris"),
        ("Йошкар-Ола", "йошкар ола"),
        ("القُدس", "القدس"),
    ],
)
def test_texts_that_say_the_same_have_one_form(one: str, other: str) -> None:
    assert t.normalise(one) == t.normalise(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("C++", "C"),
        ("-5", "5"),
        ("A", ""),
        ("ガ", "カ"),
        ("की", "का"),
        ("5%", "5"),
        ("Vitamin A", "vitamin"),
        ("บ้า", "บา"),
    ],
)
def test_texts_that_differ_stay_different(one: str, other: str) -> None:
    assert t.normalise(one) != t.normalise(other)


@given(st.text())
def test_normalise_changes_nothing_the_second_time(text: str) -> None:
    once = t.normalise(text)
    assert t.normalise(once) == once
    assert once == " ".join(once.split())


@pytest.mark.parametrize(
    ("haystack", "needle", "there"),
    [
        ("It is Paris.", "paris", True),
        ("Parisian", "paris", False),
        ("new york city", "New York", True),
        ("法国的首都是巴黎。", "巴黎", True),
        ("파리입니다", "파리", True),
        ("대파리", "파리", False),
        ("Paris", "", False),
        ("a.b", "a+b", False),
    ],
)
def test_phrases_are_whole_words(haystack: str, needle: str, there: bool) -> None:
    assert t.contains_phrase(haystack, needle) is there


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,234.5 and 1,234", [1234.5, 1234]),
        ("1,2,3", [1, 2, 3]),
        ("1,5 km", [1.5]),
        ("12,34,567", [12, 34, 567]),
        ("-5, −7 and 10-5", [-5, -7, 10, 5]),
        ("1e5 2.5E-3", [1e5, 2.5e-3]),
        ("3 × 10^8, 3x10⁸", [3e8, 3e8]),
        ("½ 2½", [0.5, 2.5]),
        ("1\u202f234 1'234", [1234, 1234]),
        ("３．５ ٣٫٥ ३", [3.5, 3.5, 3]),
        ("$5. 5km 3.14.", [5, 5, 3.14]),
        ("B12 1.2.3 H₂O", []),
        ("m² 5", [5]),
        (".5", [0.5]),
        ("1e999", []),
        ("know", []),
    ],
)
def test_numbers_in_texts(text: str, values: list[float]) -> None:
    assert t.numbers(text) == values
    assert t.last_number(text) == (values[-1] if values else None)


@given(st.integers(-(10**15), 10**15))
def test_a_number_reads_as_it_was_written(number: int) -> None:
    assert t.numbers(f"It is {number}.") == [number] == t.numbers(f"({number:,}!)")


@given(st.floats(-1e12, 1e12, allow_subnormal=False))
def test_a_float_reads_as_it_was_written(number: float) -> None:
    assert t.numbers(repr(number)) == [number]


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ("12 + 30 = 42", 42),
        ("12 and 30 make 42", 42),
        ("The sum of 12 and 30 is 42.", 42),
        ("365 days from 1 May to 30 April", 365),
        ("To find the sum we add 12 and 30.\n12+30=42.", 42),
        ("The answer is \\boxed{42}, since 40+2=42.", 42),
        ("x = -5", -5),
        ("Answer: 1,000", 1000),
        ("forty-two", 42),
        ("Two million, three hundred thousand and five", 2_300_005),
        ("nothing", None),
    ],
)
def test_the_number_a_reply_gives(reply: str, value: float | None) -> None:
    assert t.number_in(reply) == value


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2021-05-03", [date(2021, 5, 3)]),
        ("May 3, 2021", [date(2021, 5, 3)]),
        ("Monday, 3rd of May 2021.", [date(2021, 5, 3)]),
        ("Sept. 5, 2020 2021/5/3", [date(2020, 9, 5), date(2021, 5, 3)]),
        ("25/12/2021 12/25/2021 05.05.2021", [date(2021, 12, 25), date(2021, 12, 25), date(2021, 5, 5)]),
        ("03/05/2021", []),
        ("31 Feb 2021, 1999-13-01, 30 Foo 2020", []),
    ],
)
def test_dates_in_texts(text: str, days: list[date]) -> None:
    assert t.dates(text) == days


@given(st.dates(min_value=date(1000, 1, 1)))
def test_dates_read_as_they_were_written(day: date) -> None:
    assert t.dates(day.isoformat()) == [day] == t.dates(f"{day.day} {day.strftime('%B')} {day.year}")


def test_durations_in_texts() -> None:
    assert t.durations("3 weeks, a day and 2.5 hours") == [timedelta(21), timedelta(1), timedelta(hours=2.5)]
    assert t.durations("a month; 9999999999 days; 999999999 weeks") == []


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ("85%", 0.85),
        ("85 %.", 0.85),
        ("85,5 %", 0.855),
        ("８５％", 0.85),
        ("8\u200b5%", 0.85),
        ("٨٥٪", 0.85),
        ("0.85", 0.85),
        ("85", 0.85),
        ("85/100", 0.85),
        ("6 out of 10", 0.6),
        ("Confidence: 85", 0.85),
        ("Confidence (0-100): 85", 0.85),
        ("I am 95 percent sure", 0.95),
        ("**95**", 0.95),
        ("1%", 0.01),
        ("1.0", 1.0),
        ("0", 0.0),
        ("100", 1.0),
        ("0.5%", 0.005),
        ("80% ± 5%", 0.8),
        ("70%... no, 85%", 0.85),
        ("I'm 90% sure; 10% doubt", 0.9),
        ("85% because there are 3 reasons", 0.85),
        ("The answer is 1945.\n85", 0.85),
        ("Confidence: 80%. I'm not 100% certain.", 0.8),
        ("about 80", 0.8),
        ("85% (on a scale of 0% to 100%)", 0.85),
        ("From 0-100%: 85%", 0.85),
        ("between 60 and 80", None),
        ("60-80%", None),
        ("0.8-0.9", None),
        ("over 90%", None),
        ("at least 70", None),
        ("I'm not 100% sure", None),
        ("150%", None),
        ("-5%", None),
        ("101", None),
        ("Confidence: 70%. Or rather 60 to 80%.", None),
        ("In 1990 there were 3", None),
        ("high", None),
        ("", None),
    ],
)
def test_stated_confidence(reply: str, value: float | None) -> None:
    for scale in (1, 100):
        stated = t.stated_percent(reply, scale=scale)
        assert stated.value == value
        assert bool(stated.reason) is (value is None)


def test_a_bare_one_is_read_on_the_scale_that_was_asked_for() -> None:
    assert t.stated_percent("1", scale=100).value == 0.01 == t.stated_percent("1%", scale=1).value
    assert t.stated_percent("1", scale=1).value == 1.0 == t.stated_percent("Probability: 1", scale=1).value


@given(st.integers(0, 100))
def test_every_whole_percentage_is_read_exactly(percent: int) -> None:
    forms = (f"{percent}%", f"Confidence: {percent}%", f"I am {percent} percent sure.", f"{percent}/100")
    assert {t.stated_percent(form).value for form in forms} == {percent / 100}


@given(st.text(alphabet="0123456789.,%/- abnot\n", max_size=40))
def test_stated_confidence_is_a_fraction_or_has_a_reason(reply: str) -> None:
    stated = t.stated_percent(reply)
    assert (stated.value is None) is bool(stated.reason)
    assert stated.value is None or 0 <= stated.value <= 1


@given(st.text())
def test_clean_text_is_safe_and_stays_clean(text: str) -> None:
    cleaned = t.clean(text)
    assert t.clean(cleaned) == cleaned == cleaned.encode().decode()
    assert not any(
        (ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0 or 0x202A <= ord(c) <= 0x202E for c in cleaned
    )


def test_clean_takes_out_whole_escape_sequences() -> None:
    assert t.clean("\x1b[31mred\x1b[0m \x1b]0;title\x07ok\x1bc") == "red ok"
    assert t.clean("a\r\nb\rc\u2028d") == "a\nb\nc\nd" and t.clean("x\udcffy") == "x\\udcffy"
    assert t.clean("👩\u200d🔬 \u202eevil") == "👩\u200d🔬 evil"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1+2*3", 7),
        ("-2^2", -4),
        ("2^3^2", 512),
        ("(1+2)*3", 9),
        ("7/2", Fraction(7, 2)),
        ("0.1+0.2", Fraction(3, 10)),
        ("2^-2", Fraction(1, 4)),
        ("6 × 7 ÷ 2", 21),
        ("--1", 1),
        ("2**10", 1024),
    ],
)
def test_arithmetic(expression: str, value: Fraction) -> None:
    assert t.arithmetic(expression) == value


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "1+",
        "(1",
        "1)",
        "1 2",
        "a",
        "1/0",
        "0^-1",
        "2^0.5",
        "9^9^9",
        "2^99999",
        "__import__('os')",
        "(" * 900,
        "1" * 1001,
    ],
)
def test_arithmetic_refuses_everything_else(expression: str) -> None:
    with pytest.raises(UsageError) as caught:
        t.arithmetic(expression)
    assert caught.value.hint


LEAVES = st.integers(0, 99).map(str)
SUMS = st.recursive(LEAVES, lambda e: st.tuples(e, st.sampled_from("+-*"), e).map(lambda p: f"({''.join(p)})"))


@given(SUMS.filter(lambda expression: len(expression) <= 1000))
def test_arithmetic_agrees_with_reducing_the_innermost_brackets(expression: str) -> None:
    assert t.arithmetic(expression) == _reduced(expression)


def _reduced(expression: str) -> int:
    while "(" in expression:
        expression = re.sub(r"\((-?\d+)([-+*])(-?\d+)\)", lambda m: str(_apply(int(m[1]), m[2], int(m[3]))), expression)
    return int(expression)


def _apply(a: int, sign: str, b: int) -> int:
    return a + b if sign == "+" else a - b if sign == "-" else a * b
