"""Many items at a time: in order, bounded, and ended by the first error."""

from __future__ import annotations

import asyncio
import random

import pytest

from doxa import many
from doxa.errors import DataError


@pytest.mark.parametrize("ahead", [1, 3, 4096])
def test_results_come_in_the_items_order_and_few_wait(monkeypatch: pytest.MonkeyPatch, ahead: int) -> None:
    monkeypatch.setattr(many, "AHEAD", ahead)
    draw, under_way, most, taken = random.Random(0), 0, 0, list[int]()

    async def work(item: int) -> int:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        assert item - len(taken) < ahead, "nobody runs further ahead"
        for _ in range(draw.randrange(6)):
            await asyncio.sleep(0)
        under_way -= 1
        return item * 2

    asyncio.run(many.hand_over(range(700), work, taken.append))
    assert taken == [2 * item for item in range(700)]
    assert most == min(ahead, many.AT_ONCE)


def test_one_error_ends_all_work() -> None:
    begun = list[int]()

    async def work(item: int) -> int:
        begun.append(item)
        await asyncio.sleep(0.001 * (item % 3))
        if item == 300:
            raise DataError("the three-hundredth is bad", hint="drop it")
        return item

    with pytest.raises(DataError, match="three-hundredth"):
        asyncio.run(many.for_each(range(10_000), work))
    assert len(begun) < 2 * many.AT_ONCE + 300


def test_nothing_is_made_of_nothing() -> None:
    async def work(item: int) -> int:
        return item

    assert asyncio.run(many.for_each([], work)) == []
