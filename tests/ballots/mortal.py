"""A delegate's client that kills itself: `python -m tests.ballots.mortal`, with what it needs as JSON on its input.

It makes one step of a vote, and counts each moment before, in and after whatever leaves a trace: a file that is kept, a
call. At the moment it was told it dies, as by a loss of power: nothing is said, nothing is finished.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quanyutong_client import Voter
from quanyutong_client.hall import Hall
from quanyutong_client.keeping import Keeper

# Of taking, and of casting: a file and a call and a file.
MOMENTS = 7
# Seconds in which a call may arrive, or not.
ON_ITS_WAY = 0.01


@dataclass
class Life:
    left: int

    def moment(self) -> None:
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1


def kept(life: Life, keep: Callable[..., bytes]) -> Callable[..., bytes]:
    def keep_in_life(*given: Any) -> bytes:
        life.moment()
        content = keep(*given)
        life.moment()
        return content

    return keep_in_life


@dataclass
class Called:
    """The desk or the box."""

    life: Life
    call: Callable[[bytes], Any]

    async def take(self, sent: bytes) -> bytes:
        self.life.moment()
        answer = asyncio.ensure_future(self.call(sent))
        await asyncio.wait([answer], timeout=ON_ITS_WAY)
        self.life.moment()
        received: bytes = await answer
        self.life.moment()
        return received

    cast = take


async def live(given: dict[str, Any]) -> None:
    life, folder = Life(given["moments"]), Path(given["folder"])
    hall = Hall(given["address"], given["poll"])
    if given["choices"] is None:
        terms = await hall.terms(given["token"])
        Keeper.keep = kept(life, Keeper.keep)  # type: ignore[method-assign]
        await Voter(folder, terms).take(Called(life, hall.desk(given["token"]).take))
    else:
        voter = Voter.resume(folder)
        Keeper.keep = kept(life, Keeper.keep)  # type: ignore[method-assign]
        box = Called(life, hall.box(voter.terms, given["token"]).cast)
        await voter.cast(box, given["choices"])


if __name__ == "__main__":
    asyncio.run(live(json.load(sys.stdin)))
