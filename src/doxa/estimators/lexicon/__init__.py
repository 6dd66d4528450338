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

_PHRASE = re.compile(
    rf"(?<!\bnot )\b({'|'.join(sorted(map(re.escape, SURVEY), key=len, reverse=True))})\b", re.IGNORECASE
)


def certainty(text: str) -> tuple[float | None, str]:
    """Probability of the phrase a text uses, or `None` and why: no known phrase, or several that differ.

    Longer phrases are taken before the shorter ones they contain, in any case of letters; a negated one ("not likely")
    is passed over.

    >>> certainty("Probably not."), certainty("LIKELY"), certainty("Highly unlikely, or about even?")
    ((0.2468, ''), (0.7091, ''), (None, 'several phrases of certainty'))
    """
    found = {match.lower() for match in _PHRASE.findall(re.sub(r"\s+", " ", text))}
    if len(found) > 1:
        return None, "several phrases of certainty"
    return (SURVEY[found.pop()], "") if found else (None, "no phrase of certainty")
