"""How sure a text sounds: the hedges in it, and the probability that people understand by them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from doxa.estimators.lexicon import MANNER, SURVEY

PLAIN = 0.96
"""What an assertion without any hedge is worth: half-way between "almost certain", the surest phrase that people were
asked about (0.92), and certainty. No survey rated it; it sounds surer than any hedge, and nobody is always right."""
BOOSTED = 0.98
"""What an assertion with a booster ("definitely") is worth: half-way again."""

# Phrases that nobody was asked about stand for the surveyed one that they are nearest to in sense.
_NEAREST = {
    "almost certain": "almost certainly, nearly certain, virtually certain, practically certain, all but certain",
    "highly likely": "very likely, most likely, extremely likely, very probable, very probably, most probably",
    "very good chance": "good chance, strong chance, high chance",
    "likely": "fairly likely, quite likely, quite possibly, presumably",
    "better than even": "somewhat likely, more likely than not",
    "about even": "perhaps, maybe, possibly, possible, might, may be, may have, may well, could be, could have, "
    "could well, hard to say, difficult to say, no idea",
    "we doubt": "doubt, doubtful",
    "unlikely": "somewhat unlikely, little likelihood",
    "little chance": "small chance, low chance",
    "chances are slight": "slight chance",
    "highly unlikely": "very unlikely, extremely unlikely, most unlikely",
    "almost no chance": "hardly any chance, next to no chance, no chance",
}
# Frames say whose opinion it is; beside another hedge they add nothing.
_FRAMES = {
    "we believe": "think, believe, suspect, suppose, assume, it seems, it appears, seems to be, appears to be, "
    "apparently, as far as i know, to my knowledge, if i remember correctly, if i recall correctly",
    "better than even": "best guess, my guess, i guess, i would guess, i'd guess, could be wrong, may be wrong",
}
_BOOSTERS = """
    definitely, certainly, undoubtedly, absolutely, indisputably, without doubt, without a doubt, no doubt,
    beyond doubt, do not doubt, don't doubt, of course, i am sure, i'm sure, i am certain, i'm certain, i am confident,
    i'm confident, i am positive, i'm positive
"""


def _listed(phrases: Mapping[str, str]) -> dict[str, float]:
    return {each.strip(): SURVEY[surveyed] for surveyed, text in phrases.items() for each in text.split(",")}


FRAMES: Mapping[str, float] = MappingProxyType(_listed(_FRAMES) | {"we believe": SURVEY["we believe"]})
HEDGES: Mapping[str, float] = MappingProxyType(
    {phrase: value for phrase, value in SURVEY.items() if phrase not in FRAMES} | _listed(_NEAREST)
)
BOOSTERS = frozenset(each.strip() for each in _BOOSTERS.split(","))
_UNSURE = SURVEY["about even"]


def _any_of(phrases: Sequence[str] | frozenset[str] | Mapping[str, float]) -> str:
    longest_first = sorted(phrases, key=lambda phrase: (-len(phrase), phrase))
    return "|".join(re.escape(phrase).replace(r"\ ", r"\s+") for phrase in longest_first)


_HEDGE = re.compile(
    r"(?P<percent>\b\d{1,3}(?:\.\d+)?)\s?(?:%|percent|per\s+cent)\s+(?:sure|certain|confident|chance|likely|likelihood"
    r"|probability|confidence)\b"
    rf"|(?P<unsure>\b(?:(?:not|never|cannot\s+be|can[’']?t\s+be|n[’']t)\s+{MANNER}(?:sure|certain|confident|positive|clear)"
    r"|unsure|uncertain|unclear)\b)"
    rf"|(?P<booster>\b(?:{_any_of(BOOSTERS)})\b)"
    rf"|(?P<negated>(?:\b(?:not|never)|n[’']t)\s+{MANNER})?\b(?P<hedge>{_any_of(HEDGES)})\b(?P<then>\s+not\b(?!\s+only\b))?"
    rf"|\b(?P<frame>{_any_of(FRAMES)})\b",
    re.IGNORECASE,
)


class Heard(NamedTuple):
    """How sure a text sounds, `None` where it is plain, and the hedges and boosters that say so."""

    value: float | None
    hedges: tuple[str, ...]
    boosted: bool = False
    """Whether boosters are all there is."""


def heard(text: str) -> Heard:
    """How sure a text sounds by its hedges; `None` where nothing in it hedges or boosts.

    A hedge is worth what people understand by it, a negated one ("not likely", "likely not") one minus that, a stated
    percentage ("80 % sure") itself, and a booster `BOOSTED` unless something hedges as well. Several different hedges
    make the geometric mean of their odds. "I think" and the like count only where nothing else does.

    >>> heard("It is highly unlikely."), heard("I'm not sure, but I think it is probably Oslo.").hedges
    (Heard(value=0.1076, hedges=('highly unlikely',), boosted=False), ('not sure', 'probably'))
    """
    hedges, frames, boosters = dict[str, float](), dict[str, float](), dict[str, float]()
    for match in _HEDGE.finditer(text.replace("’", "'")):
        said = " ".join(match[0].lower().split())
        if match["percent"]:
            hedges[said] = min(float(match["percent"]) / 100, 1.0)
        elif match["unsure"]:
            hedges[said] = _UNSURE
        elif match["booster"]:
            boosters[said] = BOOSTED
        elif match["hedge"]:
            value = HEDGES[" ".join(match["hedge"].lower().split())]
            hedges[said] = 1 - value if match["negated"] or match["then"] else value
        else:
            frames[said] = FRAMES[" ".join(match["frame"].lower().split())]
    found = hedges or frames or boosters
    return Heard(together(list(found.values())) if found else None, tuple(found), found is boosters and bool(found))


def together(values: Sequence[float]) -> float:
    """The geometric mean of the odds of probabilities, as a probability.

    >>> together([0.5, 0.9]), together([0.0, 0.0, 0.5])
    (0.75, 0.0)
    """
    if len(values) == 1 or not 0 < min(values) <= max(values) < 1:
        return min(values) if max(values) < 1 else max(values)
    odds = math.fsum(math.log(value / (1 - value)) for value in values) / len(values)
    return 1 / (1 + math.exp(-odds))
