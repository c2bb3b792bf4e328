"""How often what is found alike is about one matter, by characters and by pairs of them; and how long the search takes
among a district's opinions, next to reading one of them.
"""

import tomllib
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import combinations, pairwise
from random import Random
from time import perf_counter
from typing import Any

import asyncpg
import grpc

from bench.measure import ratio
from quanyutong.feedback.v1 import merging_pb2, opinions_pb2
from quanyutong.feedback.v1.feedback_pb2_grpc import FeedbackServiceStub
from services.feedback.likeness import letters_of, score
from tests.harness import ROOT, Platform

OPINIONS, SEARCHES = 10_000, 100
THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4)
FILE = ROOT / "tests" / "feedback" / "paraphrases.toml"
MATTERS: dict[str, list[str]] = tomllib.loads(FILE.read_text("utf-8"))["matters"]
ENTER = """INSERT INTO feedback.opinion (district, channel, category, content, receive_date, receipt_hash, letters,
               acknowledge_due, rule_versions)
           SELECT $1, 'online', 'other', said.text, current_date, said.hash, said.letters, now(), '{}'
           FROM unnest($2::text[], $3::bytea[], $4::integer[]) AS said (text, hash, letters) RETURNING id, content"""
COLUMNS = ("district", "letter", "opinion")


@dataclass
class Found:
    """`measured`: way -> threshold -> recall and precision. Seconds of each search, and of each read."""

    measured: dict[str, dict[float, tuple[float, float]]]
    searches: list[float] = field(default_factory=list)
    reads: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return ratio(self.searches, self.reads)


def pairs_of(text: str) -> frozenset[str]:
    """Of neighbouring characters, as many compare texts."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return frozenset(map("".join, pairwise(folded)))


def measured(way: Callable[[str], frozenset[str]]) -> dict[float, tuple[float, float]]:
    """Recall and precision over all pairs of the labelled opinions."""
    texts = [(matter, way(text)) for matter, some in MATTERS.items() for text in some]
    scored = [
        (one == other, score(len(first & second), len(first), len(second)))
        for (one, first), (other, second) in combinations(texts, 2)
    ]
    same = sum(alike for alike, _ in scored)
    curve = {}
    for threshold in THRESHOLDS:
        found = [alike for alike, how in scored if how >= threshold]
        curve[threshold] = (sum(found) / same, sum(found) / len(found))
    return curve


async def searching(city: Platform) -> Found:
    found = Found({"characters": measured(letters_of), "pairs": measured(pairs_of)})
    district, connection = await city.fresh_district(), await asyncpg.connect(city.postgres.url)
    try:
        names = await _entered(connection, district)
    finally:
        await connection.close()
    metadata = city.metadata(["clerk"], district)
    async with grpc.aio.insecure_channel(city.address("direct", "feedback")) as channel:
        stub: Any = FeedbackServiceStub(channel)
        for name in Random(1).sample(names, SEARCHES):
            asked = merging_pb2.ListLikeOpinionsRequest(parent=name, page_size=10)
            read = opinions_pb2.GetOpinionRequest(name=name)
            for call, request, seconds in (
                (stub.ListLikeOpinions, asked, found.searches),
                (stub.GetOpinion, read, found.reads),
            ):
                begun = perf_counter()
                await call(request, metadata=metadata)
                seconds.append(perf_counter() - begun)
    return found


async def _entered(connection: asyncpg.Connection, district: str) -> list[str]:
    """As many as a large district hears in years, each of another place; all of them open."""
    chance, texts = Random(2), [text for some in MATTERS.values() for text in some]
    said = sorted({f"{_place(chance)}{chance.choice(texts)}" for _ in range(2 * OPINIONS)})[:OPINIONS]
    hashes = [sha256(text.encode()).digest() for text in said]
    async with connection.transaction():
        await connection.execute("SELECT set_config('app.district', $1, true)", district)
        rows = await connection.fetch(ENTER, district, said, hashes, [len(letters_of(text)) for text in said])
        letters = [(district, letter, row["id"]) for row in rows for letter in sorted(letters_of(row["content"]))]
        await connection.copy_records_to_table(
            "opinion_letter", schema_name="feedback", records=letters, columns=COLUMNS
        )
    await connection.execute("ANALYZE feedback.opinion, feedback.opinion_letter")
    return [f"opinions/{row['id']}" for row in rows]


def _place(chance: Random) -> str:
    return "".join(chance.choices("金银龙凤山水河桥石田竹松梅兰南北东西新大小", k=3)) + f"{chance.randint(1, 99)}号"
