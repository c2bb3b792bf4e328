"""Tasks beside others: all of them end, whatever a library does with a cancellation."""

import asyncio

import pytest

from chassis.tasks import beside, ended, together


class Stubborn:
    """Work that loses the first cancellations, as `asyncio.wait_for` can before Python 3.12."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.over = False

    async def work(self) -> None:
        try:
            while self.times:
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    self.times -= 1
            await asyncio.sleep(60)
        finally:
            self.over = True


async def fails(error: Exception) -> None:
    await asyncio.sleep(0)
    raise error


async def test_one_that_fails_ends_the_others() -> None:
    other = Stubborn(2)
    with pytest.raises(BaseExceptionGroup) as group:
        await together(other.work(), fails(OSError("first")), fails(ValueError("second")))
    assert [str(fault) for fault in group.value.exceptions] == ["first", "second"]
    assert other.over


async def test_lost_cancellation_goes_through_every_level() -> None:
    inner = Stubborn(1)
    outer = asyncio.create_task(together(together(inner.work())))
    await asyncio.sleep(0.01)
    await ended([outer])
    assert outer.cancelled()
    assert inner.over


async def test_who_ends_others_may_be_cancelled_itself() -> None:
    other = Stubborn(2)
    task = asyncio.create_task(other.work())
    await asyncio.sleep(0)
    ending = asyncio.create_task(ended([task]))
    await asyncio.sleep(0.01)
    ending.cancel()
    await asyncio.wait([ending])
    assert ending.cancelled()
    assert other.over


async def test_beside_a_block() -> None:
    other = Stubborn(0)
    with pytest.raises(KeyError, match="block"):
        await block_that_fails(other)
    assert other.over
    with pytest.raises(BaseExceptionGroup, match="beside"):
        async with beside(fails(OSError("beside"))):
            await asyncio.sleep(0.01)


async def block_that_fails(other: Stubborn) -> None:
    async with beside(other.work(), fails(OSError("beside"))):
        await asyncio.sleep(0.01)
        raise KeyError("block")
