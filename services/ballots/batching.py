"""Batches: what comes to a poll while a transaction for it is under way is written together by the next one.

It is answered once that one is committed. So a hall that votes at the same moment costs a few transactions and not
hundreds, other districts wait for nobody, and who was first of those in a batch is written nowhere.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextvars import Context
from typing import Generic, TypeVar

Place = TypeVar("Place", bound=Hashable)
Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Batches(Generic[Place, Item, Answer]):
    """`write` answers each item, in their order, or refuses it; what it raises is the answer to all of them."""

    def __init__(self, write: Callable[[Place, Sequence[Item]], Awaitable[Sequence[Answer | Exception]]]) -> None:
        self._write = write
        self._waiting: dict[Place, list[tuple[Item, asyncio.Future[Answer]]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def join(self, place: Place, item: Item) -> Answer:
        """The answer to the item. Whoever does not wait for it any more takes nothing back."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if place in self._waiting:
            self._waiting[place].append((item, answer))
        else:
            self._waiting[place] = [(item, answer)]
            # In an empty context: the transaction of many is nobody's call.
            task = asyncio.create_task(self._serve(place), context=Context())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await answer

    async def _serve(self, place: Place) -> None:
        """One batch after the other, until nobody waits."""
        batch: list[tuple[Item, asyncio.Future[Answer]]] = []
        try:
            while batch := self._waiting[place]:
                self._waiting[place] = []
                for (_, future), answer in zip(batch, await self._answers(place, batch), strict=True):
                    _give(future, answer)
        finally:  # stopped with the process: nobody is left waiting
            for _, future in [*batch, *self._waiting.pop(place)]:
                future.cancel()

    async def _answers(
        self, place: Place, batch: Sequence[tuple[Item, asyncio.Future[Answer]]]
    ) -> Sequence[Answer | Exception]:
        try:
            return await self._write(place, [item for item, _ in batch])
        except Exception as fault:  # whatever it is, it is the callers' to tell
            return [fault] * len(batch)


def _give(future: "asyncio.Future[Answer]", answer: Answer | Exception) -> None:
    if future.done():  # its call was cancelled
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
