"""What counts as private data, and what does not."""

from __future__ import annotations

import sys
from itertools import pairwise

import pytest
from stdnum import iban, luhn

from doxa.errors import UsageError
from doxa.questions import bank
from doxa.text.pii import PII


def units(text: str, region: str = "US") -> list[str]:
    return [each.unit for each in PII(region).find(text)]


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("mail me: a.b+c@mail.example.co.uk.", "EMAIL a.b+c@mail.example.co.uk"),
        ("call +44 20 7946 0123 now", "PHONE +442079460123"),
        ("pay DE89 3704 0044 0532 0130 00 today", "IBAN de89370400440532013000"),
        ("card 4111-1111-1111-1111", "CARD 4111111111111111"),
        ("SSN 536-90-4399", "ID 536904399"),
        ("NHS 943 476 5919", "ID 9434765919"),
        ("host 192.168.13.7.", "IP 192.168.13.7"),
        ("host fe80::1 is up", "IP fe80::1"),
        ("born 1984-03-12", "DATE 1984-03-12"),
        ("born 12 March 1984", "DATE 1984-03-12"),
        ("born March 12, 1984", "DATE 1984-03-12"),
        ("Yesterday Dr. Smith came", "PERSON smith"),
        ("When Élodie Müller left", "PERSON élodie müller"),
        ("Is Maria Keller's car here?", "PERSON maria keller"),
        ("Sean O'Neil is in", "PERSON sean o'neil"),
    ],
)
def test_each_kind_is_found_however_it_is_written(text: str, unit: str) -> None:
    assert units(text) == [unit]


@pytest.mark.parametrize(
    "text",
    [
        "card 4111 1111 1111 1112", "pay DE88 3704 0044 0532 0130 00", "born 1984-02-31", "version 1.2.3.999",
        "at 10:30:15", "On Monday it rains. The Friday after it does not.", "twelve eggs and 1,234,567 stars", "",
    ],
)  # fmt: skip
def test_what_fails_its_check_is_not_private(text: str) -> None:
    assert units(text) == []


def test_places_are_where_the_text_has_them_and_none_overlap() -> None:
    text = "Ask Maria Keller (maria.keller@example.org, 212 555 0142) about 4111 1111 1111 1111."
    found = PII().find(text)
    assert [text[each.start : each.end] for each in found] == [
        "Maria Keller", "maria.keller@example.org", "212 555 0142", "4111 1111 1111 1111",
    ]  # fmt: skip
    assert all(a.end <= b.start for a, b in pairwise(found))


def test_the_region_says_whose_numbers_have_no_code() -> None:
    assert units("ring 020 7946 0123", "GB") == ["PHONE +442079460123"]
    with pytest.raises(UsageError, match="no region"):
        PII("XX")


def test_without_its_packages_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    with pytest.raises(UsageError, match="phonenumbers") as caught:
        PII()
    assert "doxa[privacy]" in caught.value.hint


def test_the_notes_hold_what_they_say() -> None:
    pii = PII()
    for question in bank("private_notes", seed=4):
        found = pii.find(question.context or "")
        assert found and question.answers
        values = {each.value for each in found}
        assert all(iban.is_valid(each.value.upper()) for each in found if each.kind == "IBAN")
        assert all(luhn.is_valid(each.value) for each in found if each.kind == "CARD")
        answered = {each.value for answer in question.answers for each in pii.find(answer)}
        assert bool(answered & values) == (question.tags["need"] == "value")


def test_an_answer_of_a_public_note_stands_in_a_line_without_private_data() -> None:
    for question in bank("private_notes"):
        lines = [line for line in (question.context or "").splitlines() if (question.answers or ("",))[0] in line]
        public = [line for line in lines if not units(line)]
        assert bool(public) or question.tags["need"] != "public"
