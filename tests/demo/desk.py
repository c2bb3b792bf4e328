"""The desk of a district's clerk in the feedback service: calls that wait for news, whole lists, several at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

import grpc

from quanyutong.feedback.v1.feedback_pb2_grpc import FeedbackServiceStub
from tests.demo.holding import RosterLate, patience
from tests.demo.identified import identified
from tests.demo.registering import Metadata
from tests.harness import reason

AT_ONCE = 32
# A page that is not the whole list, so that every list is read page by page.
A_PAGE = 50
# News of stations and mandates come by events; secret addresses take so many calls a second, and at once.
PASSING = frozenset(
    f"ERROR_REASON_{reason}" for reason in ("STATION_NOT_FOUND", "MANDATE_NOT_FOUND", "RATE_LIMITED", "INTAKE_BUSY")
)
T = TypeVar("T")


class Desk:
    """By a token of the clerk, but for what is said without one."""

    def __init__(self, stub: FeedbackServiceStub, metadata: Metadata) -> None:
        self._stub = stub
        self._metadata = metadata

    async def call(self, rpc: str, request: Any) -> Any:
        return await getattr(self._stub, rpc)(request, metadata=self._metadata)

    async def change(self, rpc: str, request: Any) -> Any:
        """With the effect of one call, however often it is made; as soon as the service has heard of what it names."""
        return await self._let_in(rpc, identified(request), self._metadata)

    async def anonymously(self, rpc: str, request: Any) -> Any:
        """Without a token, at a secret address; the header says from which district's limit it is taken."""
        return await self._let_in(rpc, request, (("x-district", request.district),))

    async def all(self, rpc: str, what: str, request: Any) -> list[Any]:
        """Every page of a list; `what` is the field that holds its entries."""
        request.page_size, found = A_PAGE, list[Any]()
        while True:
            answer = await self.call(rpc, request)
            found += getattr(answer, what)
            request.page_token = answer.next_page_token
            if not request.page_token:
                return found

    async def _let_in(self, rpc: str, request: Any, metadata: Metadata) -> Any:
        for wait in patience():
            try:
                return await getattr(self._stub, rpc)(request, metadata=metadata)
            except grpc.aio.AioRpcError as error:
                if reason(error) not in PASSING:
                    raise
            await asyncio.sleep(wait)
        raise RosterLate("the feedback service has not heard of all stations and delegates")


async def several(do: Callable[[T], Awaitable[None]], things: Iterable[T]) -> None:
    """Several at once; raises the first refusal."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(thing: T) -> None:
        async with places:
            await do(thing)

    try:
        async with asyncio.TaskGroup() as group:
            for thing in things:
                group.create_task(one(thing))
    except ExceptionGroup as refusals:  # the first one ended the others
        raise refusals.exceptions[0] from None
