"""How long it took until all was well again; told at the end of the run."""

import time

TOLD: list[str] = []


class Clock:
    """Runs from when it is made."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._started = time.monotonic()

    def tell(self, then: str, within: float = 60.0) -> None:
        """Fails when it took longer than it may."""
        passed = time.monotonic() - self._started
        TOLD.append(f"{self._what}: {then} after {passed:.2f} s")
        assert passed < within
