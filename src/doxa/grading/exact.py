"""Grades open answers by their words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from doxa.grading.rules import declines, settle
from doxa.text import answer_sentence, contains_phrase, normalise, short_answer, stands_in
from doxa.types import Question, Verdict

_ALTERNATIVES = re.compile(r"(?i:\s+(?:or|oder|ou|eller|или)\s+|\s*/\s*|\s+(?:and|und|et)\s+|\s*&\s*)|[、，]")
_NOT = "not|isnt|wasnt|never|nicht|kein|keine|niet|pas|inte|ikke|nao|nie|не|no es|non e"
_NOT_BEFORE = re.compile(rf"(?<!\S)(?:{_NOT})(?:\s+(?!(?:but|its?|rather|instead|sondern)\s)\S+){{0,3}}\s*$")
_NOT_AFTER = re.compile(rf"^\s*(?:(?:is|was|ist|est|es|e)\s+)?(?:{_NOT})(?!\S)")
_SYMBOL = re.compile(r"[A-Z][A-Za-z0-9]{0,2}")


@dataclass(frozen=True)
class Exact:
    """Right if the short answer equals an accepted one, or (with `phrase`) holds one as whole words.

    Case, accents, articles and punctuation do not count. A negated answer ("not Paris") is wrong. So is a reply that
    names several alternatives of which not all are accepted ("Paris or Lyon"): it does not commit itself, and counting
    it as missing would let a model choose what it is graded on. Symbols of up to three letters (Au, USD) stand in a
    sentence only in their own spelling, since many are words ("In", "All"). An accepted answer that stands in the
    question itself (Singapore, of Singapore) counts only as the whole short answer: to repeat a question is no answer.
    """

    phrase: bool = True

    async def grade(self, question: Question, text: str) -> Verdict:
        """Grade one reply."""
        settled = settle(question, text)
        if settled is not None:
            return settled
        accepted = {answer: normalise(answer) for answer in question.answers or ()}
        answer = short_answer(text)
        words = normalise(answer)
        if words and words in accepted.values():
            return Verdict(True)
        if declines(text):
            return Verdict(False, reason="refused")
        if not words:
            return Verdict(None, reason="no words in the reply")
        if not self.phrase:
            return Verdict(False)
        pieces = _alternatives(answer, (question.text, *accepted))
        if len(pieces) > 1:
            right = [_names_one(piece, accepted) for piece in pieces]
            return Verdict(all(right), reason="" if all(right) or not any(right) else "names several answers")
        asked = normalise(question.text)
        told = {answer: form for answer, form in accepted.items() if not stands_in(asked, form)}
        return Verdict(_names_one(answer, told) or _names_one(answer_sentence(text), told))


def _alternatives(answer: str, names: Iterable[str]) -> list[str]:
    """The alternatives that an answer names; an "and" inside a known name ("Trinidad and Tobago") separates nothing."""
    pieces = [piece for piece in _ALTERNATIVES.split(answer) if normalise(piece)]
    joints = [f"{a.split()[-1]} and {b.split()[0]}" for a, b in pairwise(pieces)]
    if len(pieces) > 1 and all(any(contains_phrase(name, joint) for name in names) for joint in joints):
        return [answer]
    listed = [piece for piece in answer.split(",") if normalise(piece)]
    return pieces if len(pieces) > 1 or len(listed) < 4 else listed


def _names_one(sentence: str, accepted: Mapping[str, str]) -> bool:
    """Whether one of the accepted answers (with its normal form) stands in a sentence and is not negated."""
    words = normalise(sentence)
    for answer, form in accepted.items():
        if _SYMBOL.fullmatch(answer):
            if _holds_symbol(sentence, answer):
                return True
        elif stands_in(words, form):
            before, _, after = words.partition(form)
            if not (_NOT_BEFORE.search(before) or _NOT_AFTER.search(after)):
                return True
    return False


def _holds_symbol(sentence: str, symbol: str) -> bool:
    """Whether a symbol stands in a sentence in its own spelling: last, in quotes, or after "is" or ":".

    Symbols of up to two letters may stand in brackets, but not codes: "Macedonian drachma (MKD)" names a currency.
    """
    opening = "" if len(symbol) > 2 else r"(\["
    marked = rf"(?:\b(?:is|symbol|code)|[:=\"'“‘*{opening}])\s*{symbol}(?!\w)|(?<![\w(\[]){symbol}\W*$"
    found = re.search(marked, sentence)
    return found is not None and not _NOT_BEFORE.search(normalise(sentence[: found.start()]))
