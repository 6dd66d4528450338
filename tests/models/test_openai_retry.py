"""When to try again, and how many calls at once: pure rules under an injected clock."""

import asyncio
from collections.abc import Awaitable, Callable
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa.models.http.limiter import Limiter
from doxa.models.http.retry import backoff, requested_wait
from fake_clock import FakeClock

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"retry-after-ms": "250"}, 0.25),
        ({"Retry-After": "2"}, 2.0),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "3600"}, 120.0),
        ({"retry-after-ms": "9999999"}, 120.0),
        ({"Retry-After": formatdate(NOW + 7, usegmt=True)}, 7.0),
        ({"Retry-After": formatdate(NOW - 7, usegmt=True)}, 0.0),
        ({"Retry-After": formatdate(NOW + 7000, usegmt=True)}, 120.0),
        ({"retry-after-ms": "x", "Retry-After": "3"}, 3.0),
        ({"retry-after-ms": "100", "Retry-After": "3"}, 0.1),
        *(({"Retry-After": text}, None) for text in ("inf", "-1", "nan", "soon", "", "1e999", "Tue, 99 Foo 2026")),
    ],
)
def test_a_wait_is_taken_from_headers_that_make_sense(headers: dict[str, str], wait: float | None) -> None:
    assert requested_wait(headers, NOW) == wait


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_header_breaks_it(milliseconds: str, seconds: str) -> None:
    wait = requested_wait({"retry-after-ms": milliseconds, "Retry-After": seconds}, NOW)
    assert wait is None or 0 <= wait <= 120


def test_backoff_is_full_jitter_under_a_doubling_cap() -> None:
    assert [backoff(attempt, 1.0) for attempt in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert [backoff(3, draw) for draw in (0.0, 0.25, 0.5)] == [0.0, 0.5, 1.0]
    assert backoff(10_000, 1.0) == 30


def run(body: Callable[[FakeClock, Limiter], Awaitable[None]], start: int = 16, maximum: int = 100) -> Limiter:
    clock = FakeClock()
    limiter = Limiter(start=start, maximum=maximum, now=clock.clock().now)
    asyncio.run(body(clock, limiter))
    return limiter


@pytest.mark.parametrize(("maximum", "first"), [(16, 0.8), (100, 0.5)])
def test_a_burst_of_refusals_cuts_once_and_the_first_takes_the_last_doubling_back(maximum: int, first: float) -> None:
    async def body(clock: FakeClock, limiter: Limiter) -> None:
        for _ in range(50):
            limiter.throttled()
            clock.seconds += 0.25
        assert limiter.limit == pytest.approx(16 * first)
        clock.seconds += 4
        limiter.throttled()

    assert run(body, maximum=maximum).limit == pytest.approx(16 * first * 0.8)


def test_it_doubles_every_round_until_its_maximum_then_grows_by_tenths() -> None:
    seen: list[int] = []

    async def body(clock: FakeClock, limiter: Limiter) -> None:
        async def rounds(number: int) -> None:
            for _ in range(number):
                seen.append(limiter._active)
                for _ in range(limiter._active):
                    limiter.succeeded()
                    await limiter.__aexit__()
                    while limiter._active < int(limiter.limit):
                        await limiter.__aenter__()

        for _ in range(16):
            await limiter.__aenter__()
        await rounds(4)
        for _ in range(6):
            limiter.throttled()
        for _ in range(20):
            await limiter.__aexit__()
        clock.seconds += 15
        await rounds(3)

    run(body)
    assert seen[:5] == [16, 32, 64, 100, 80]
    assert seen[5:] == pytest.approx([87, 95], abs=2)


@pytest.mark.parametrize(("one_in", "least"), [(50, 100), (20, 60), (3, 1)])
def test_few_refusals_are_put_up_with_and_many_are_not(one_in: int, least: int) -> None:
    """Refused whatever the load is: a server that does so to one call in twenty must not strangle a run."""
    lowest = 100.0

    async def body(clock: FakeClock, limiter: Limiter) -> None:
        nonlocal lowest
        for number in range(30_000):
            while limiter._active < int(limiter.limit):
                await limiter.__aenter__()
            if number % one_in:
                limiter.succeeded()
            else:
                limiter.throttled()
            await limiter.__aexit__()
            clock.seconds += 0.05 / limiter.limit
            lowest = min(lowest, limiter.limit) if number > 1000 else 100

    run(body)
    assert lowest >= least
    assert (lowest > 50) == (one_in > 3)


def test_it_never_falls_below_one_nor_rises_above_its_maximum() -> None:
    async def body(clock: FakeClock, limiter: Limiter) -> None:
        for _ in range(100):
            clock.seconds += 15
            limiter.throttled()
        assert limiter.limit == 1
        clock.seconds += 15
        async with limiter:
            for _ in range(10_000):
                limiter.succeeded()
        assert limiter.limit < 3  # one call in flight does not strain a limit of two
        places = [asyncio.create_task(busy(limiter)) for _ in range(500)]
        await asyncio.gather(*places)

    async def busy(limiter: Limiter) -> None:
        for _ in range(30):
            async with limiter:
                await asyncio.sleep(0)
                limiter.succeeded()

    assert run(body, maximum=20).limit == 20


def test_a_minute_after_a_minute_of_refusals_nine_tenths_are_back() -> None:
    """A server with two-second answers refuses 30 % for a minute; the limit had grown to its maximum before."""
    seen: dict[str, float] = {}

    async def body(clock: FakeClock, limiter: Limiter) -> None:
        for _ in range(16):
            await limiter.__aenter__()
        await rounds(clock, limiter, until=clock.seconds + 120, refused=0)
        seen["before"] = limiter.limit
        await rounds(clock, limiter, until=clock.seconds + 60, refused=0.3)
        seen["burst"] = limiter.limit
        await rounds(clock, limiter, until=clock.seconds + 60, refused=0)
        seen["after"] = limiter.limit

    async def rounds(clock: FakeClock, limiter: Limiter, until: float, refused: float) -> None:
        while clock.seconds < until:
            size = limiter._active
            for place in range(size):
                if place < refused * size:
                    limiter.throttled()
                else:
                    limiter.succeeded()
                await limiter.__aexit__()
                while limiter._active < int(limiter.limit):
                    await limiter.__aenter__()
            clock.seconds += 2

    run(body)
    assert seen["before"] == 100
    assert 100 * 0.8**5 <= seen["burst"] <= 100 * 0.8**4
    assert seen["after"] >= 90


def test_never_more_than_the_limit_are_inside_and_all_get_in() -> None:
    inside, most, served = 0, 0, []

    async def body(clock: FakeClock, limiter: Limiter) -> None:
        async def one(number: int) -> None:
            nonlocal inside, most
            async with limiter:
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0)
                served.append(number)
                inside -= 1

        await asyncio.gather(*(one(number) for number in range(100)))

    run(body, start=4)
    assert most == 4
    assert served == list(range(100))


def test_those_who_stop_waiting_leave_no_hole() -> None:
    async def body(clock: FakeClock, limiter: Limiter) -> None:
        await limiter.__aenter__()
        waiting = [asyncio.create_task(limiter.__aenter__()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await limiter.__aexit__()  # hands the place to the second, who is cancelled before it wakes
        waiting[1].cancel()
        await asyncio.gather(*waiting[:2], return_exceptions=True)
        await asyncio.wait_for(waiting[2], 1)
        await limiter.__aexit__()

    assert run(body, start=1)._active == 0
