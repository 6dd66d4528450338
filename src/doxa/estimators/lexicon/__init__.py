"""Words of certainty and the probability that people understand by them.

The values are the means of a survey of 123 people, as Tian et al. 2023, Just Ask for Calibration (arXiv 2305.14975),
used them for linguistic confidence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

SURVEY: Mapping[str, float] = MappingProxyType(
    {
        "almost certain": 0.9204,
        "highly likely": 0.8709,
        "very good chance": 0.8053,
        "we believe": 0.7508,
        "likely": 0.7091,
        "probably": 0.6868,
        "probable": 0.6762,
        "better than even": 0.5812,
        "about even": 0.5068,
        "probably not": 0.2468,
        "we doubt": 0.2237,
        "unlikely": 0.2118,
        "improbable": 0.1677,
        "chances are slight": 0.1440,
        "little chance": 0.1285,
        "highly unlikely": 0.1076,
        "almost no chance": 0.0651,
    }
)
"""Phrases with their probabilities, surest first."""

RELEASED: Mapping[str, float] = MappingProxyType(
    {
        "Almost Certain": 0.95,
        "Highly Likely": 0.9,
        "Very Good Chance": 0.8,
        "We Believe": 0.75,
        "Probably": 0.7,
        "Probable": 0.7,
        "Likely": 0.7,
        "Better than Even": 0.6,
        "About Even": 0.5,
        "Probably Not": 0.25,
        "We Doubt": 0.2,
        "Unlikely": 0.2,
        "Little Chance": 0.1,
        "Chances Are Slight": 0.1,
        "Improbable": 0.1,
        "Highly Unlikely": 0.05,
        "Almost No Chance": 0.02,
    }
)
"""The phrases as LM-Polygraph was released with them, in its order, with its rounded numbers."""

MANNER = (
    r"(?:(?:at\s+all|all\s+that|very|quite|so|that|too|really|fully|entirely|completely|totally|absolutely"
    r"|100\s?%)\s+)*"
)
"""What may stand between a negation and what it negates."""
_PHRASE = re.compile(
    rf"(?P<negated>(?:\b(?:not|never)|n[’']t)\s+{MANNER})?"
    rf"\b(?P<phrase>{'|'.join(sorted(map(re.escape, SURVEY), key=len, reverse=True))})\b",
    re.IGNORECASE,
)


def phrase(text: str, *, as_released: bool = False) -> tuple[str | None, str]:
    """The phrase a text uses, or `None` and why: no known phrase, or several that differ.

    Longer phrases are taken before the shorter ones they contain, in any case of letters; a negated one ("not likely")
    is passed over. `as_released` takes the first of the `RELEASED` phrases that occurs anywhere in just these letters.

    >>> phrase("PROBABLY NOT"), phrase("Probably Not", as_released=True), phrase("likely", as_released=True)
    (('probably not', ''), ('Probably', ''), (None, 'no phrase of certainty'))
    """
    if as_released:
        first = next((known for known in RELEASED if known in text), None)
        return first, "" if first else "no phrase of certainty"
    met = _PHRASE.finditer(re.sub(r"\s+", " ", text))
    found = {match["phrase"].lower() for match in met if not match["negated"]}
    if len(found) > 1:
        return None, "several phrases of certainty"
    return (found.pop(), "") if found else (None, "no phrase of certainty")


def certainty(text: str) -> tuple[float | None, str]:
    """Probability that people understand by the phrase a text uses, or `None` and why; read as `phrase` does.

    >>> certainty("Probably not."), certainty("LIKELY"), certainty("Highly unlikely, or about even?")
    ((0.2468, ''), (0.7091, ''), (None, 'several phrases of certainty'))
    """
    found, reason = phrase(text)
    return None if found is None else SURVEY[found], reason
