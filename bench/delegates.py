"""The delegates' devices: what each computes beside its two calls, in processes of their own and measured apart.

On a day of votes this work is done by hundreds of phones. Here it shares the platform's cores, so it is done before
and after the stages that are timed.
"""

import asyncio
import multiprocessing
import os
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from random import Random
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import load_der_private_key

from quanyutong_client import blindrsa, verify
from quanyutong_client.ballot import Paper, fill_in, paper_message
from quanyutong_client.derivation import SECRET_BYTES, derive
from quanyutong_client.encoding import read_json
from quanyutong_client.marking import marks_of
from quanyutong_client.terms import Terms


class Devices:
    """All of them. `seconds`: of CPU, by what it was for."""

    def __init__(self) -> None:
        spawned = multiprocessing.get_context("spawn")  # the channels of this process cannot be forked
        self._workers = ProcessPoolExecutor(os.cpu_count(), spawned)
        self.seconds: dict[str, float] = defaultdict(float)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._workers.shutdown()

    async def blind(self, terms: str, count: int) -> list[tuple[bytes, bytes]]:
        """A secret and the blinded message of each delegate."""
        blinded: list[tuple[bytes, bytes]] = await self._do("blinding", blind, terms, count)
        return blinded

    async def fill_in(self, terms: str, kept: Sequence[bytes], answers: Sequence[bytes]) -> list[bytes]:
        """The signed ballot of each, from its secret and the desk's answer."""
        ballots: list[bytes] = await self._do("unblinding and filling in", ballots_of, terms, kept, answers)
        return ballots

    async def forge(self, terms: str, paper_key: bytes, count: int) -> list[bytes]:
        """Genuine ballots without a desk, by who has its key."""
        each = -(-count // (os.cpu_count() or 1))
        counts = [min(each, count - start) for start in range(0, count, each)]
        parts = await asyncio.gather(*(self._do("forging", forge, terms, paper_key, part) for part in counts))
        return [ballot for part in parts for ballot in part]

    async def check(self, board: bytes) -> int:
        """How many ballots are on a board that has no fault."""
        ballots: int = await self._do("verifying", checked, board)
        return ballots

    async def _do(self, what: str, work: Callable[..., Any], *given: Any) -> Any:
        loop = asyncio.get_running_loop()
        answer, seconds = await loop.run_in_executor(self._workers, timed, work, *given)
        self.seconds[what] += seconds
        return answer


def timed(work: Callable[..., Any], *given: Any) -> tuple[Any, float]:
    begun = time.process_time()
    return work(*given), time.process_time() - begun


def blind(terms: str, count: int) -> list[tuple[bytes, bytes]]:
    read, kept = read_terms(terms), [secrets.token_bytes(SECRET_BYTES) for _ in range(count)]
    return [(secret, derive(secret, read).blinded(read).message) for secret in kept]


def ballots_of(terms: str, kept: Sequence[bytes], answers: Sequence[bytes]) -> list[bytes]:
    read, chance = read_terms(terms), Random(len(kept))
    found = []
    for secret, answer in zip(kept, answers, strict=True):
        derived = derive(secret, read)
        paper = derived.paper(read, answer)
        found.append(fill_in(read, paper, _marks(read, chance), derived.key).encoded())
    return found


def forge(terms: str, paper_key: bytes, count: int) -> list[bytes]:
    read, chance = read_terms(terms), Random(count)
    key = load_der_private_key(paper_key, None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, RSAPrivateKey)
    found = []
    for _ in range(count):
        derived = derive(secrets.token_bytes(SECRET_BYTES), read)
        prepared = blindrsa.prepare(paper_message(read, derived.public_key), derived.prefix)
        signature = key.sign(prepared, PSS(MGF1(SHA384()), blindrsa.PSS_RANDOMIZED.salt_bytes), SHA384())
        paper = Paper(derived.public_key, derived.prefix, signature)
        found.append(fill_in(read, paper, _marks(read, chance), derived.key).encoded())
    return found


def checked(board: bytes) -> int:
    report = verify(board)
    assert report.is_sound, report.found
    assert report.board is not None
    return len(report.board.ballots)


def _marks(terms: Terms, chance: Random) -> tuple[bytes, ...]:
    """Up to as many of the candidates as there are places."""
    question = terms.questions[0]
    chosen = chance.sample([option.id for option in question.options], chance.randint(5, 10))
    return marks_of(terms, {question.id: chosen})


def read_terms(terms: str) -> Terms:
    return Terms.of(read_json(terms.encode()))
