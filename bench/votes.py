"""How many papers and ballots a second one congress gets through the gateway, all delegates at once.

The floors do what a paper and a ballot need and no more, as many at once: an RSA signature by OpenSSL and a row by bare
asyncpg; the checks of a ballot's two signatures, a signature for its receipt, and a row. Beside them, a bare echo and a
read of one row through the gateway.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import asyncpg
import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from bench.congress import AT_ONCE, Congress, convened
from bench.delegates import Devices, read_terms
from bench.measure import all_at_once, ratio
from quanyutong.ballots.v1.ballots_pb2_grpc import BallotsServiceStub
from quanyutong_client.ballot import Ballot
from tests.harness import Platform

# The largest congress of the city.
DELEGATES, ROUNDS = 450, 3
POOL = 16
TABLES = """
    DROP TABLE IF EXISTS floor_paper, floor_ballot;
    CREATE TABLE floor_paper (blinded bytea PRIMARY KEY, answer bytea NOT NULL);
    CREATE TABLE floor_ballot (public_key bytea PRIMARY KEY, encoded bytea NOT NULL)"""
PAPER = "INSERT INTO floor_paper (blinded, answer) VALUES ($1, $2)"
BALLOT = "INSERT INTO floor_ballot (public_key, encoded) VALUES ($1, $2)"
Call = Callable[[], Awaitable[object]]


@dataclass
class Cast:
    """Seconds of each round for all delegates: by the service, bare, and of as many small calls."""

    papers: list[float] = field(default_factory=list)
    bare_papers: list[float] = field(default_factory=list)
    ballots: list[float] = field(default_factory=list)
    bare_ballots: list[float] = field(default_factory=list)
    echoes: list[float] = field(default_factory=list)
    reads: list[float] = field(default_factory=list)

    def times(self, what: str, floor: str) -> float:
        return ratio(getattr(self, what), getattr(self, floor))


async def voting(city: Platform, echo: Call, read: Call) -> Cast:
    """A poll each round: nobody has two papers of one."""
    found, district = Cast(), await city.fresh_district()
    async with (
        asyncpg.create_pool(city.postgres.url, min_size=POOL, max_size=POOL) as pool,
        grpc.aio.insecure_channel(city.address("gateway")) as channel,
        Devices() as devices,
    ):
        await pool.execute(TABLES)
        key = generate_private_key(65537, 2048)
        for _ in range(ROUNDS):
            congress = await convened(city, pool, BallotsServiceStub(channel), district, DELEGATES)
            await congress.blind(devices)
            found.echoes.append(await _calls(echo))
            found.reads.append(await _calls(read))
            found.bare_papers.append(await _bare_papers(pool, key, congress.blinded))
            found.papers.append(await congress.take())
            await congress.start()
            await congress.fill_in(devices)
            found.bare_ballots.append(await _bare_ballots(pool, congress))
            found.ballots.append(await congress.cast())
            await congress.close()
            assert await devices.check(await congress.board(pool)) == DELEGATES
    return found


async def _calls(call: Call) -> float:
    async def one(_: int) -> None:
        await call()

    return await all_at_once(one, range(DELEGATES), AT_ONCE)


async def _bare_papers(pool: asyncpg.Pool, key: RSAPrivateKey, blinded: Sequence[bytes]) -> float:
    async def one(message: bytes) -> None:
        answer = await asyncio.to_thread(key.sign, message, PKCS1v15(), SHA256())
        await pool.execute(PAPER, message, answer)

    return await all_at_once(one, blinded, AT_ONCE)


async def _bare_ballots(pool: asyncpg.Pool, congress: Congress) -> float:
    terms, key = read_terms(congress.terms), Ed25519PrivateKey.generate()

    async def one(encoded: bytes) -> None:
        ballot = Ballot.decode(encoded)
        assert ballot.paper.is_genuine(terms)
        assert ballot.is_signed()
        key.sign(ballot.leaf())
        await pool.execute(BALLOT, ballot.paper.public_key, encoded)

    return await all_at_once(one, congress.ballots, AT_ONCE)
