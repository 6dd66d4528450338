"""What the mock believes about a question: a probability for each possible answer, fixed by the question's text.

For a question whose right answer the text determines ("… What colour is bead 138?") the right answer is put at a rank
that is drawn from the belief itself. So among all questions in which the mock gives an answer the probability p, a
share p of those answers is right: its beliefs are calibrated by construction. What it says and does need not be.
"""

from __future__ import annotations

import hashlib
import re

from doxa import prompts

BEADS = re.compile(r"The beads on a string repeat in this order: (.+?)\. What colour is bead (\d+)\?")
_OPTION = re.compile(r"^[A-Z]\. (.+)$", re.MULTILINE)
_SYLLABLES = ("ba", "do", "fe", "gi", "ku", "la", "mo", "ne", "ri", "su", "ta", "vo")


def uniform(*parts: object) -> float:
    """A number in (0, 1) that the parts determine."""
    digest = hashlib.blake2b("\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=6).digest()
    return (int.from_bytes(digest, "little") + 0.5) / 2**48


def beliefs(question: str) -> dict[str, float]:
    """Answers and the probabilities the mock gives them, likeliest first; for a choice question the options' texts."""
    subject = _subject(question)
    answers = _answers(question, subject)
    ratio = 1 - uniform("sureness", subject)
    weights = [ratio**rank for rank in range(len(answers))]
    total = sum(weights)
    ranked = sorted(answers, key=lambda answer: uniform("taste", subject, answer))
    beads = BEADS.search(question)
    if beads:
        _put_truth(ranked, _colour(beads), [weight / total for weight in weights], uniform("luck", subject))
    return {answer: weight / total for answer, weight in zip(ranked, weights, strict=True)}


def options(question: str) -> list[str]:
    """The lettered options a question lists."""
    return _OPTION.findall(question)


def _subject(question: str) -> str:
    """What a question is about, however it is put: without options and instructions."""
    beads = BEADS.search(question)
    if beads:
        return beads[0]
    lines = (line for line in question.splitlines() if line not in prompts.INSTRUCTION.values())
    return "\n".join(line for line in lines if not _OPTION.match(line))


def _answers(question: str, subject: str) -> list[str]:
    """All answers the mock can think of."""
    beads = BEADS.search(question)
    if listed := options(question):
        return listed
    if beads:
        return beads[1].split(", ")
    draws = [uniform("answer", subject, number) for number in range(6)]
    if prompts.INSTRUCTION["boolean"] in question:
        return ["Yes", "No"]
    if prompts.INSTRUCTION["number"] in question:
        return [str(round(1000 * draw)) for draw in draws]
    if prompts.INSTRUCTION["date"] in question:
        return [
            f"{1900 + int(120 * draw)}-{number + 1:02d}-{1 + int(28 * draw):02d}" for number, draw in enumerate(draws)
        ]
    return [_word(subject, number) for number in range(6)]


def _word(subject: str, number: int) -> str:
    """An invented word; its last syllable is the number's, so that the words of one question differ."""
    syllables = [_SYLLABLES[int(len(_SYLLABLES) * uniform("word", subject, number, place))] for place in range(2)]
    return "".join([*syllables, _SYLLABLES[number]]).capitalize()


def _colour(beads: re.Match[str]) -> str:
    """The right answer to a question about beads."""
    colours = beads[1].split(", ")
    return colours[(int(beads[2]) - 1) % len(colours)]


def _put_truth(ranked: list[str], truth: str, probabilities: list[float], luck: float) -> None:
    """Swap the truth into the rank that `luck` draws from `probabilities`."""
    rank = 0
    while rank < len(ranked) - 1 and luck > probabilities[rank]:
        luck -= probabilities[rank]
        rank += 1
    if truth in ranked:
        place = ranked.index(truth)
        ranked[place], ranked[rank] = ranked[rank], ranked[place]
