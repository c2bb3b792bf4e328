"""How long the close of a poll takes, what in it is arithmetic, and how long everybody needs to check the board.

The ballots are genuine and come into the box at once. The parts are measured beside the close, one after the other,
with the same ballots; what they do not explain is the database: writing anew, publishing, sweeping.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import asyncpg
import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.congress import Congress, convened
from bench.delegates import Devices, read_terms
from chassis.vault import Vault
from quanyutong.ballots.v1.ballots_pb2_grpc import BallotsServiceStub
from quanyutong_client import merkle
from quanyutong_client.ballot import Ballot
from quanyutong_client.receipt import receipt_message
from quanyutong_client.tally import tally
from services.ballots.boxes import PAPER, purpose_of
from tests.harness import Platform

SIZES = (450, 1_000, 10_000)
KEY = "SELECT wrapped FROM ballots.box_key WHERE poll = $1 AND purpose = $2"
PAPERS = """INSERT INTO ballots.paper (district, poll, box, mandate, blinded, answer)
            SELECT district, poll, box, mandate, '', '' FROM ballots.elector WHERE poll = $1"""
BALLOTS = """INSERT INTO ballots.ballot (district, poll, box, public_key, encoded)
             SELECT $1, $2, 1, public_key, encoded FROM unnest($3::bytea[], $4::bytea[]) AS b (public_key, encoded)"""
# The same rows in a bare table of the same form, in one statement: what the database needs at the least.
TABLE = """DROP TABLE IF EXISTS floor_closed;
           CREATE TABLE floor_closed (public_key bytea PRIMARY KEY, encoded bytea NOT NULL)"""
BARE = "INSERT INTO floor_closed SELECT * FROM unnest($1::bytea[], $2::bytea[]) AS b (public_key, encoded)"
Value = TypeVar("Value")


@dataclass
class Closed:
    """Seconds of one close, of its parts, of the bare rows, and of checking the board."""

    ballots: int
    close: float = 0
    bare: float = 0
    verify: float = 0
    parts: dict[str, float] = field(default_factory=dict)


async def closing(city: Platform) -> list[Closed]:
    found, district = [], await city.fresh_district()
    async with (
        asyncpg.create_pool(city.postgres.url, min_size=1, max_size=4) as pool,
        grpc.aio.insecure_channel(city.address("gateway")) as channel,
        Devices() as devices,
    ):
        await pool.execute(TABLE)
        for size in SIZES:
            congress = await convened(city, pool, BallotsServiceStub(channel), district, size)
            encoded = await _filled(city, pool, devices, district, congress)
            one = Closed(size, parts=_parts(congress, encoded))
            one.bare = await _bare(pool, encoded)
            begun = time.perf_counter()
            await congress.close()
            one.close = time.perf_counter() - begun
            assert await devices.check(await congress.board(pool)) == size
            one.verify = devices.seconds.pop("verifying")
            found.append(one)
    return found


async def _filled(
    city: Platform, pool: asyncpg.Pool, devices: Devices, district: str, congress: Congress
) -> Sequence[bytes]:
    """Everybody has a paper and has voted, by the poll's own key."""
    wrapped = await pool.fetchval(KEY, congress.key, PAPER)
    key = Vault.of(city.settings).unwrap(purpose_of(PAPER), district, wrapped)
    encoded = await devices.forge(congress.terms, key, len(congress.delegates))
    await pool.execute(PAPERS, congress.key)
    await congress.start()
    keys = [Ballot.decode(each).paper.public_key for each in encoded]
    await pool.execute(BALLOTS, district, congress.key, keys, encoded)
    return encoded


def _parts(congress: Congress, encoded: Sequence[bytes]) -> dict[str, float]:
    terms, key = read_terms(congress.terms), Ed25519PrivateKey.generate()
    seconds: dict[str, float] = {}

    def timed(what: str, work: Callable[[], Value]) -> Value:
        begun = time.perf_counter()
        done = work()
        seconds[what] = time.perf_counter() - begun
        return done

    ballots = timed("reading", lambda: [Ballot.decode(each) for each in encoded])
    in_order = timed("sorting", lambda: sorted(ballots, key=lambda each: each.paper.public_key))
    leaves = timed("leaves", lambda: [each.leaf() for each in in_order])
    timed("Merkle root", lambda: merkle.root(leaves))
    timed("tally", lambda: tally(terms, len(ballots), len(ballots), [each.marks for each in in_order]))
    timed("receipts", lambda: [key.sign(receipt_message(terms, leaf)) for leaf in leaves])
    return seconds


async def _bare(pool: asyncpg.Pool, encoded: Sequence[bytes]) -> float:
    rows = sorted((Ballot.decode(each).paper.public_key, each) for each in encoded)
    begun = time.perf_counter()
    await pool.execute(BARE, [key for key, _ in rows], [each for _, each in rows])
    seconds = time.perf_counter() - begun
    await pool.execute("TRUNCATE floor_closed")
    return seconds
