"""Ballot boxes (票箱): one in plenary, one for each delegation; each with an electorate, keys, terms and a board."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import bindparam, insert, select

from chassis.database import ReadTx, Row, WriteTx
from chassis.sql import Sql
from chassis.vault import Vault
from quanyutong_client.encoding import canonical, read_json
from quanyutong_client.reading import base64
from quanyutong_client.terms import Terms
from services.ballots import blind_signing
from services.ballots.blind_signing import SigningKey
from services.ballots.domain import Refused
from services.ballots.tables import box, box_key, elector

PAPER, BOARD = "paper", "board"
PURPOSE = "ballot box"
PLACE = Sql(insert(box).returning(box), columns=("poll", "number", "display_name", "electorate", "terms"))
KEEP = Sql(insert(box_key), columns=("poll", "box", "purpose", "wrapped"))
ENROL = Sql(insert(elector), columns=("poll", "mandate", "person", "box"))
# A board of thousands of ballots is many megabytes: who wants it asks for it.
BESIDE_THE_BOARD = [column for column in box.c if column is not box.c.board]
THIS = (box.c.poll == bindparam("poll"), box.c.number == bindparam("number"))
FIND, FIND_WITH_BOARD = Sql(select(*BESIDE_THE_BOARD).where(*THIS)), Sql(select(box).where(*THIS))
KEY = Sql(
    select(box_key.c.wrapped).where(
        box_key.c.poll == bindparam("poll"),
        box_key.c.box == bindparam("box"),
        box_key.c.purpose == bindparam("purpose"),
    )
)


@dataclass(frozen=True, slots=True)
class Keys:
    """Both private keys of a box that is to be opened. The texts of them go nowhere but into the vault."""

    paper: SigningKey
    stored_paper: bytes
    board: Ed25519PrivateKey

    @classmethod
    async def generate(cls) -> "Keys":
        """Takes some tenths of a second, in another thread: ask outside a transaction."""
        paper, stored = await asyncio.to_thread(blind_signing.generate)
        return cls(paper, stored, Ed25519PrivateKey.generate())


@dataclass(frozen=True, slots=True)
class Electors:
    """Who votes in a box: the seats of the roll, each a row with mandate and person."""

    number: int
    display_name: str
    seats: Sequence[Row]


async def place_box(tx: WriteTx, poll: Row, vault: Vault, electors: Electors, keys: Keys | None) -> None:
    """Puts a box up: its terms are fixed, its electorate is frozen. Without keys it is one of paper."""
    count = len(electors.seats)
    terms = _terms(tx.district, poll, electors, keys) if keys else ""
    facts = {"poll": poll.id, "number": electors.number}
    await tx.execute(PLACE, **facts, display_name=electors.display_name, electorate=count, terms=terms)
    if keys:
        secrets = {PAPER: keys.stored_paper, BOARD: keys.board.private_bytes_raw()}
        for purpose, secret in secrets.items():
            wrapped = vault.wrap(purpose_of(purpose), tx.district, secret)
            await tx.execute(KEEP, poll=poll.id, box=electors.number, purpose=purpose, wrapped=wrapped)
    await tx.each(
        ENROL,
        [
            {"poll": poll.id, "mandate": seat.mandate, "person": seat.person, "box": electors.number}
            for seat in electors.seats
        ],
    )


def _terms(district: str, poll: Row, electors: Electors, keys: Keys) -> str:
    """In plenary the poll's id stands in the terms, of a delegation its number too: no paper fits two boxes."""
    suffix = f".{electors.number}" if electors.display_name else ""
    value = {
        "district": district,
        "poll": f"{poll.id}{suffix}",
        "title": poll.title,
        "electorate": len(electors.seats),
        "paper_key": base64(keys.paper.public),
        "board_key": base64(keys.board.public_key().public_bytes_raw()),
        "questions": [each["question"] for each in read_json(poll.questions.encode())],
    }
    return canonical(Terms.of(value).json()).decode()


@lru_cache(maxsize=256)
def terms_of(text: str) -> Terms:
    """The terms of a box. They never change, and reading their key takes longer than checking a ballot."""
    return Terms.of(read_json(text.encode()))


async def load_box(tx: ReadTx, poll: UUID, number: int, *, board: bool = False) -> Row:
    """Raises Refused BOX_NOT_FOUND."""
    row = await tx.first(FIND_WITH_BOARD if board else FIND, poll=poll, number=number)
    if row is None:
        raise Refused("BOX_NOT_FOUND", box=f"polls/{poll}/boxes/{number}")
    return row


def number_in(name: str) -> int:
    """The number in `polls/<uuid>/boxes/<number>`."""
    return int(name.rpartition("/")[2])


async def paper_key(tx: ReadTx, vault: Vault, poll: UUID, number: int) -> SigningKey | None:
    """None once it was deleted. It is in no cache: deleted is gone."""
    stored = await _unwrapped(tx, vault, poll, number, PAPER)
    return SigningKey.load(stored) if stored else None


async def board_key(tx: ReadTx, vault: Vault, poll: UUID, number: int) -> Ed25519PrivateKey | None:
    stored = await _unwrapped(tx, vault, poll, number, BOARD)
    return Ed25519PrivateKey.from_private_bytes(stored) if stored else None


async def _unwrapped(tx: ReadTx, vault: Vault, poll: UUID, number: int, purpose: str) -> bytes | None:
    row = await tx.first(KEY, poll=poll, box=number, purpose=purpose)
    return vault.unwrap(purpose_of(purpose), tx.district, row.wrapped) if row else None


def purpose_of(purpose: str) -> str:
    """What a key of a box is wrapped for."""
    return f"{PURPOSE} {purpose}"


def split_roll(roll: Sequence[Row], delegations: Iterable[Row]) -> list[Electors]:
    """Everybody on the roll into the boxes. Raises Refused DELEGATES_WITHOUT_DELEGATION."""
    formed = list(delegations)
    if not formed:
        return [Electors(1, "", roll)]
    home: Mapping[Any, int] = {mandate: each.number for each in formed for mandate in each.mandates}
    if missing := sum(seat.mandate not in home for seat in roll):
        raise Refused("DELEGATES_WITHOUT_DELEGATION", count=missing)
    return [
        Electors(each.number, each.display_name, [seat for seat in roll if home[seat.mandate] == each.number])
        for each in formed
    ]
