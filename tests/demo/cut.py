"""A run that is cut off."""

from collections.abc import Awaitable, Callable
from typing import Any


class Cut:
    """A stub whose process ends after some calls."""

    def __init__(self, stub: Any, calls: int) -> None:
        self._stub = stub
        self._left = calls

    def __getattr__(self, rpc: str) -> Callable[..., Awaitable[Any]]:
        async def call(request: Any, metadata: Any) -> Any:
            self._left -= 1
            if self._left < 0:
                raise ConnectionError
            return await getattr(self._stub, rpc)(request, metadata=metadata)

        return call
