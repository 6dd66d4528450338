"""Counters of reliance against tables counted by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa.errors import DataError
from doxa.metrics.maths.reliance import Reliance, count_reliance

ROWS = st.lists(
    st.tuples(st.booleans(), st.booleans(), st.booleans()).map(lambda row: (*row[:2], row[0] if row[1] else row[2])),
    min_size=1,
)


def counted(rows: list[tuple[bool, bool, bool]]) -> Reliance:
    advice, agreed, final = zip(*rows, strict=True)
    return count_reliance(advice_right=advice, agreed=agreed, final_right=final)


def test_a_table_counted_by_hand() -> None:
    # 8 questions: of 5 right answers 4 are followed; of 3 wrong ones 1 is, and 1 of the 2 others is put right.
    rows = [(True, True, True)] * 4 + [(True, False, False), (False, True, False), (False, False, True)]
    found = counted([*rows, (False, False, False)])
    assert found == Reliance(4, 1, 1, 2, 5) and found.n == 8
    assert (found.agreement, found.accuracy, found.appropriate) == (5 / 8, 5 / 8, 6 / 8)
    assert (found.over_reliance, found.under_reliance) == (1 / 3, 1 / 5)


def test_a_reader_who_always_or_never_follows() -> None:
    follows = counted([(True, True, True), (False, True, False), (False, True, False)])
    assert (follows.agreement, follows.accuracy, follows.over_reliance, follows.under_reliance) == (1, 1 / 3, 1, 0)
    refuses = counted([(True, False, False), (True, False, True)])
    assert (refuses.agreement, refuses.accuracy, refuses.over_reliance, refuses.under_reliance) == (0, 1 / 2, None, 1)


@given(ROWS)
def test_shares_follow_from_each_other(rows: list[tuple[bool, bool, bool]]) -> None:
    found = counted(rows)
    over, under = found.over_reliance, found.under_reliance
    right = (found.right_followed + found.right_refused) / found.n
    assert 1 - found.appropriate == pytest.approx((over or 0) * (1 - right) + (under or 0) * right)
    assert found.accuracy >= found.right_followed / found.n and 0 <= found.agreement <= 1


@pytest.mark.parametrize(
    ("advice", "agreed", "final"),
    [([], [], []), ([True], [True, False], [True]), ([True], [True], [False]), ([2], [1], [1])],
)
def test_what_cannot_be_is_refused(advice: list[bool], agreed: list[bool], final: list[bool]) -> None:
    with pytest.raises(DataError):
        count_reliance(advice_right=advice, agreed=agreed, final_right=final)
