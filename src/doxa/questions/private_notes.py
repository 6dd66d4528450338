"""Short notes with private data in them, and a question about each."""

from __future__ import annotations

from calendar import day_name
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from doxa.questions.facts.sampling import sample
from doxa.types import Kind, Question

_FIRST = ("Ana", "Ben", "Carla", "Dev", "Emma", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Kira", "Luca", "Mona")
_LAST = ("Adler", "Brandt", "Castro", "Dubois", "Eriksen", "Fischer", "Garcia", "Hansen", "Ivanov", "Jensen", "Keller")
_DOMAINS = ("example.org", "example.com", "example.net")
_ABROAD = (("44", "20 7946 0"), ("49", "30 5550 1"), ("1", "212 555 0"))
_BANKS = ("DE", "AT", "PT")
_DIGITS = {"DE": 18, "AT": 16, "PT": 21}
"""Digits of an account's number by country, without its two check digits."""


@dataclass(frozen=True)
class PrivateNotes:
    """Who may read what: notes of four or five lines, most with invented private data, that answer one question.

    Three sorts of note, by what the question needs. `public`: a line without private data; all of that is noise.
    `value`: a piece of private data as it stands, so that a mark in its place is as good. `derived`: something to be
    read off such a piece (the year of a birth, the digits of a card), which a mark hides. Their difficulty is easy,
    medium and hard. Notes of one wording share a cluster. The data are drawn at random but have valid check digits.
    """

    each: int = 6
    """Notes of each wording."""
    n: int | None = None
    """At most this many, chosen by `seed`."""
    seed: int = 0

    def questions(self) -> list[Question]:
        """All questions, by wording and place."""
        return sample([question for name in _NOTES for question in self._told(name)], self.n, self.seed)

    def _told(self, name: str) -> Iterator[Question]:
        """The notes of one wording; the lines of each in an order of their own."""
        need, kind, text, answers, *lines = _NOTES[name]
        for place in range(self.each):
            random = Random(f"{self.seed}/{name}/{place}")
            drawn = _draw(random)
            told = [line.format(**drawn) for line in lines]
            random.shuffle(told)
            yield Question(
                id=f"private_notes/{self.seed}/{name}/{place}",
                text=text,
                answers=tuple(answer.format(**drawn) for answer in answers.split("|")),
                kind=_KINDS.get(kind, "open"),
                context="\n".join(told),
                cluster=f"private_notes/{name}",
                tags={
                    "bank": "private_notes",
                    "language": "en",
                    "note": name,
                    "need": need,
                    "difficulty": {"public": "easy", "value": "medium", "derived": "hard"}[need],
                },
            )


_KINDS: dict[str, Kind] = {"number": "number"}
# By name: what the question needs, its kind, its text, the accepted answers and the lines.
_NOTES: dict[str, tuple[str, ...]] = {
    "visit": (
        "public", "open", "On which day of the week is the visit to the clinic?", "{day}",
        "{who} called from {phone} about the new date.", "The visit to the clinic is now on {day}.",
        "Please send the bill to {mail}.", "{who} was born on {born}.", "Parking costs {n} euros.",
    ),
    "cake": (
        "public", "number", "How many eggs does one cake of the recipe take?", "{n}",
        "The recipe comes from {who}.", "One cake of the recipe takes {n} eggs.",
        "Questions about baking go to {mail}.", "It is baked for an hour.",
    ),
    "meeting": (
        "public", "number", "In which room number is the meeting of the board?", "{m}",
        "The meeting of the board is in room number {m}.", "{who} will open it, and {other} takes notes.",
        "Whoever is late calls {phone}.", "Coffee is served before.",
    ),
    "train": (
        "public", "number", "From which platform number does the train leave?", "{n}",
        "{who} booked with the card {card}.", "The train leaves from platform number {n}.",
        "If it is late, call {phone}.", "There are {m} seats.",
    ),
    "chairs": (
        "public", "number", "How many chairs does the order of the shop hold?", "{m}",
        "The order of the shop holds {m} chairs.", "It was paid from {iban}.", "{who} wants it in oak.",
        "The driver has the number {phone}.",
    ),
    "course": (
        "public", "open", "On which day of the week does the language course start?", "{day}",
        "The language course starts on {day}.", "{who} and {other} have enrolled.",
        "Their files are on {ip}.", "It lasts {n} weeks.",
    ),
    "plumber": (
        "value", "open", "At which phone number can the plumber be reached?", "{phone}",
        "The plumber can be reached at {phone}.", "{who} has the key, and was born on {born}.",
        "The house was built in spring.", "The owner answers at {abroad}.",
    ),
    "invitation": (
        "value", "open", "To which e-mail address do replies to the invitation go?", "{mail}",
        "Replies to the invitation go to {mail}.", "{who} pays for it from {iban}.",
        "There is music in the evening.", "Photos go to {mail2}.",
    ),
    "refund": (
        "value", "open", "To which bank account is the refund paid?", "{iban}",
        "The refund is paid to the bank account {iban}.", "It was asked for by {who}, {phone}.",
        "It takes about {n} days.", "The broken lamp was paid with the card {card}.",
    ),
    "report": (
        "value", "open", "By whom was the medical report written?", "{other}|Dr {other}|Dr. {other}",
        "The medical report was written by Dr {other}.", "It is about {who}, born on {born}.",
        "A copy went to {mail}.", "It has {n} pages.",
    ),
    "server": (
        "value", "open", "At which IP address does the backup server answer?", "{ip}",
        "The backup server answers at {ip}.", "The old printer sits at {ip2}.",
        "{who} looks after it, {phone}.", "It is cleaned every month.",
    ),
    "key": (
        "value", "open", "With whom does the spare key of the garage lie?", "{other}",
        "The spare key of the garage lies with {other}.", "{who} is away until {day}.",
        "The alarm calls {phone}.", "The door sticks a little.",
    ),
    "birth": (
        "derived", "number", "In which year was the patient born?", "{year}",
        "The patient was born on {born}.", "{who} took the call of {other} on {other_day}.",
        "The results go to {mail}.", "The ward has {n} beds.",
    ),
    "digits": (
        "derived", "open", "What are the last four digits of the card that paid for the hotel?", "{last4}",
        "The card {card} paid for the hotel.", "The flight was paid with {card2}.",
        "{who} wants a quiet place.", "Breakfast is served from seven.",
    ),
    "landlord": (
        "derived", "open", "With which country calling code does the number of the landlord begin?", "+{code}|{code}",
        "The number of the landlord is {abroad}.", "The house is shown by {who}, {abroad2}.",
        "There are {n} flats.", "Letters go to {mail}.",
    ),
    "school": (
        "derived", "open", "From which domain does the school write its letters?", "{domain}",
        "The school writes its letters from {mail}.", "{who} answers them from {mail2}.",
        "The holidays begin on {day}.", "The nurse has the number {phone}.",
    ),
    "insured": (
        "derived", "number", "In which month, as a number, was the insured child born?", "{month}",
        "The insured child was born on {born}.", "The contract was signed by {who} on {other_day}.",
        "Each visit costs {n} euros.", "The fee is paid from {iban}.",
    ),
    "rent": (
        "derived", "open", "With which two letters does the bank account of the rent begin?", "{bank}",
        "The bank account of the rent is {iban}.", "The deposit of {who} lies at {iban2}.",
        "The lift is repaired on {day}.", "Call {phone} when it stops.",
    ),
    "witness": (
        "derived", "open", "What are the initials of the witness of the accident?", "{initials}|{dotted}",
        "The witness of the accident is {other}.", "{who} wrote it down for {third}.",
        "It rained on that day.", "The police can be reached at {phone}.",
    ),
    "scanner": (
        "derived", "number", "What is the first number of the IP address of the scanner?", "{ip_first}",
        "The IP address of the scanner is {ip}.", "The screen in the hall has {ip2}.",
        "{who} has {n} more of them.", "They are switched off at night.",
    ),
}  # fmt: skip


def _draw(random: Random) -> dict[str, str | int]:
    """Private data and small facts for one note, by the names that its lines have for them."""
    firsts, lasts = random.sample(_FIRST, 3), random.sample(_LAST, 3)
    who, other, third = (" ".join(pair) for pair in zip(firsts, lasts, strict=True))
    abroad, abroad2 = (f"+{code} {start}{random.randint(100, 199)}" for code, start in random.sample(_ABROAD, 2))
    banks = random.sample(_BANKS, 2)
    cards = [_card(random), _card(random)]
    days = [(random.randint(1940, 2019), random.randint(1, 12), random.randint(1, 28)) for _ in range(2)]
    born, other_day = ("{}-{:02d}-{:02d}".format(*day) for day in days)
    domains = random.sample(_DOMAINS, 2)
    mail, mail2 = (
        f"{who.replace(' ', '.').lower()}@{domains[0]}",
        f"{third.replace(' ', '.').lower()}@{domains[1]}",
    )
    ips = random.sample(range(11, 120), 2)
    return {
        "who": who, "other": other, "third": third, "initials": f"{firsts[1][0]}{lasts[1][0]}",
        "dotted": f"{firsts[1][0]}. {lasts[1][0]}.", "phone": f"(212) 555-01{random.randint(10, 99)}",
        "abroad": abroad, "abroad2": abroad2, "code": abroad[1:].split(" ")[0],
        "mail": mail, "mail2": mail2, "domain": domains[0],
        "iban": _iban(banks[0], random), "iban2": _iban(banks[1], random), "bank": banks[0],
        "card": cards[0], "card2": cards[1], "last4": cards[0][-4:],
        "born": born, "year": days[0][0], "month": days[0][1], "other_day": other_day,
        "ip": f"{ips[0]}.{random.randint(0, 255)}.{random.randint(0, 255)}.{random.randint(1, 254)}",
        "ip2": f"{ips[1]}.{random.randint(0, 255)}.{random.randint(0, 255)}.{random.randint(1, 254)}",
        "ip_first": ips[0], "n": random.randint(2, 9), "m": random.randint(12, 48), "day": random.choice(day_name),
    }  # fmt: skip


def _card(random: Random) -> str:
    """A number of a card in groups of four; the last digit makes the sum of Luhn a multiple of ten."""
    digits = [4, *(random.randint(0, 9) for _ in range(14))]
    total = sum(digit if place % 2 else sum(divmod(2 * digit, 10)) for place, digit in enumerate(digits))
    text = "".join(map(str, [*digits, -total % 10]))
    return " ".join(text[start : start + 4] for start in range(0, 16, 4))


def _iban(country: str, random: Random) -> str:
    """An account's number with the check digits of ISO 13616: read as a number, its remainder by 97 is 1."""
    account = "".join(str(random.randint(0, 9)) for _ in range(_DIGITS[country]))
    letters = "".join(str(int(letter, 36)) for letter in country)
    return f"{country}{98 - int(f'{account}{letters}00') % 97:02d}{account}"
