"""300 delegates vote, and an attacker keeps everything that there is, from before the vote until after it.

Database as its superuser, with its statements logged; backups, dumps, dead rows, write-ahead log; logs, traces,
metrics, event streams. Papers are taken in an order that the attacker knows, ballots are cast in another one, by lot.
"""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import grpc
import pytest
from nats.aio.client import Client

from quanyutong.meetings.v1 import meeting_pb2
from quanyutong_client.ballot import Ballot
from tests.ballots.collector import collecting
from tests.ballots.linking import Trace, attack, in_base64, search, traces
from tests.ballots.loot import LISTENING, Thief, superuser
from tests.ballots.polling import Polling, Vote
from tests.conftest import tenant_of
from tests.contract.office import DEPUTY, in_days, new_people
from tests.harness import platform, until
from tests.meetings.secretariat import in_hours

VOTERS = 300
# An order of fewer says nothing about correlation.
FEWEST = 30
SESSION = meeting_pb2.MEETING_KIND_CONGRESS_SESSION
TRACELESS = (b"TakePaper", b"CastBallot")
# In a segment of the log of its own; and nobody takes the dead rows away.
LEAK = (
    "SELECT pg_switch_wal()",
    "CREATE SCHEMA leak",
    "CREATE TABLE leak.desk (mandate uuid, at timestamptz DEFAULT now())",
    "CREATE TABLE leak.box (public_key bytea, at timestamptz DEFAULT now())",
    "CREATE TABLE leak.gone (mandate uuid, public_key bytea) WITH (autovacuum_enabled = false)",
)
LEAKING = (
    "/leaking/rows/leak.",
    "/leaking/pages/leak.gone",
    "/leaking/log/leak.",
    "/leaking/dump/",
    "/leaking/backup/",
    "/postgres/data/pg_wal/",
    "/postgres/server.log",
    "/nats/",
    "/spans/TraceService",
    "/leak.log",
)


@dataclass
class Scene:
    """The vote, the attacker, and what has been carried off."""

    polling: Polling
    vote: Vote
    thief: Thief
    site: Path
    spans: Path
    collector: str
    # The order in which ballots were cast, by the number of the voter: papers were taken as they are numbered.
    cast: Sequence[int]
    blinded: Sequence[tuple[bytes, bytes]] = ()

    @property
    def mandates(self) -> list[UUID]:
        return [UUID(name.partition("/")[2]) for name in self.vote.mandates]

    @property
    def keys(self) -> list[bytes]:
        return [ballot.paper.public_key for ballot in self.ballots]

    @property
    def ballots(self) -> list[Ballot]:
        return [ballot for voter in self.vote.voters if (ballot := voter.ballot)]

    def running(self) -> list[Path]:
        """What is written while the platform runs: logs, event streams, spans, and the log of the database."""
        postgres = self.site / "postgres"
        others = [path for path in self.site.iterdir() if path != postgres]
        return [postgres / "server.log", postgres / "data" / "pg_wal", self.spans, *others]

    def traces(self) -> list[Trace]:
        persons = [UUID(name.partition("/")[2]).bytes for name in self.vote.persons]
        return [
            *traces("mandate", False, [each.bytes for each in self.mandates]),
            *traces("person", False, persons),
            *traces("blinded message", False, [blinded for blinded, _ in self.blinded]),
            *traces("blind signature", False, [answer for _, answer in self.blinded]),
            *traces("key", True, self.keys),
            in_base64("key", [ballot.encoded() for ballot in self.ballots], self.keys),
        ]


async def hall_of(polling: Polling, seats: int) -> Vote:
    """A session of the congress with a poll whose papers can be taken; the roll in an order by lot."""
    term = await polling.term(await polling.congress())
    rows = new_people(seats, **polling.facts(term))
    for row in rows:
        row.capacity = DEPUTY
    await polling.register(term, rows, in_days(-300))
    meeting = (await polling.meeting(term.partition("/terms/")[0], in_hours(-1), kind=SESSION)).name
    roll = await polling.called(meeting, seats)
    await polling.enter(meeting, *(attendee.mandate for attendee in roll))
    await polling.do("Convene", meeting)
    poll = await polling.draft(meeting)
    await polling.open(poll.name, present=seats)

    async def all_attend() -> bool:
        heard = "SELECT count(*) FROM ballots.seat WHERE attended AND meeting = $1"
        return await polling.count(heard, UUID(meeting.partition("/")[2])) == seats

    await until(all_attend)
    random.SystemRandom().shuffle(roll)
    return Vote(poll.name, meeting, [each.mandate for each in roll], [each.person for each in roll])


@pytest.fixture
async def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        spans = tmp_path / "spans"
        spans.mkdir()
        collector = await stack.enter_async_context(collecting(spans))
        for name, value in {"EXPORTER_OTLP_ENDPOINT": collector, "METRIC_EXPORT_INTERVAL": "1000"}.items():
            monkeypatch.setenv(f"OTEL_{name}", value)
        site = await stack.enter_async_context(platform("all", tmp_path / "site", trace_share="1"))
        polling = Polling(await stack.enter_async_context(tenant_of(site, "gateway")), tmp_path / "voters")
        connection = await stack.enter_async_context(superuser(site))
        for statement in LISTENING:
            await connection.execute(statement)
        thief = await Thief.enter(site, connection, tmp_path / "loot")
        cast = random.SystemRandom().sample(range(VOTERS), VOTERS)
        yield Scene(polling, await hall_of(polling, VOTERS), thief, tmp_path / "site", spans, collector, cast)


async def test_all_files_link_papers_and_ballots_no_better_than_chance(scene: Scene) -> None:
    """The attacker lays every order of papers in any file beside every order of ballots in any other, in voting and
    after the close, and looks in each file for the paper that is nearest to a ballot.

    By chance the best of K guesses is right for k ballots or more with a probability of at most K/k! (see `linking`);
    the bound makes that less than one in a million. A leak that links one ballot in ten is far beyond it.
    """
    await vote_and_loot(scene)
    found = search([scene.thief.folder, *scene.running()], scene.traces())
    everything = attack(found, FEWEST)
    in_voting = attack([each for each in found if "/loot/closed/" not in each.path], FEWEST)
    assert in_voting.is_chance, in_voting
    assert everything.is_chance, everything
    await check_telemetry(scene)
    await check_that_leaks_are_found(scene)


async def vote_and_loot(scene: Scene) -> None:
    """An attack with each step: after handing out, after the last ballot, and after the close."""
    polling, vote = scene.polling, scene.vote
    for place in range(VOTERS):
        vote.voters.append(await polling.voter(vote, place))
    rows = await scene.thief.connection.fetch("SELECT mandate, blinded, answer FROM ballots.paper")
    taken = {UUID(str(row["mandate"])): (bytes(row["blinded"]), bytes(row["answer"])) for row in rows}
    scene.blinded = [taken[mandate] for mandate in scene.mandates]
    await scene.thief.loot("open", "ballots.paper")
    await polling.do_poll("StartVoting", vote.poll)
    for number in scene.cast:
        await polling.cast(vote, vote.voters[number], {"projects": ["p01"]})
    await scene.thief.loot("voting", "ballots.ballot")
    await polling.do_poll("Close", vote.poll)
    await polling.certified(vote.poll)
    await polling.announce(vote.poll)
    await scene.thief.loot("closed", "ballots.closed_ballot")


async def check_telemetry(scene: Scene) -> None:
    """The rest of the vote is told, so the two calls would be: no span and no line has them. Metrics count them."""
    spans, lines = scene.spans / "TraceService", scene.spans / "LogsService"

    async def told() -> bool:
        return spans.exists() and b"AnnouncePoll" in spans.read_bytes()

    await until(told)
    said = [path for path in scene.site.rglob("*.log") if path.parent.name != "postgres"]
    assert any(b"AnnouncePoll" in path.read_bytes() for path in said)
    for path in (spans, lines, *said):
        assert not [rpc for rpc in TRACELESS if path.exists() and rpc in path.read_bytes()]
    assert all(rpc in (scene.spans / "MetricsService").read_bytes() for rpc in TRACELESS)


async def check_that_leaks_are_found(scene: Scene) -> None:
    """The same attackers, once there is something to be found, in each kind of file by itself: they find nearly all."""
    await leak(scene)
    folder = await scene.thief.loot("leaking", "leak.desk", "leak.box")
    found = search([folder, *scene.running()], scene.traces())
    for part in LEAKING:
        here = attack([each for each in found if part in each.path], FEWEST)
        assert here.right > 0.9 * VOTERS, (part, here)
        assert not here.is_chance


async def leak(scene: Scene) -> None:
    """In the order of casts: two tables that share a time, one whose rows are deleted, a line, a span and an event."""
    pairs = [(scene.mandates[number], scene.keys[number]) for number in scene.cast]
    said = "".join(f"{mandate} {key.hex()}\n" for mandate, key in pairs).encode()
    (scene.site / "leak.log").write_bytes(said)
    async with grpc.aio.insecure_channel(scene.collector.removeprefix("http://")) as channel:
        export: Any = channel.unary_unary("/leak.TraceService/Export")
        await export(said)
    await leak_rows(scene.thief.connection, pairs)
    await leak_events(scene.polling.tenant.platform.nats.url, said.splitlines())


async def leak_rows(connection: asyncpg.Connection, pairs: Sequence[tuple[UUID, bytes]]) -> None:
    for statement in LEAK:
        await connection.execute(statement)
    for mandate, key in pairs:
        async with connection.transaction():
            await connection.execute("INSERT INTO leak.desk VALUES ($1)", mandate)
            await connection.execute("INSERT INTO leak.box VALUES ($1)", key)
            await connection.execute("INSERT INTO leak.gone VALUES ($1, $2)", mandate, key)
    await connection.execute("DELETE FROM leak.gone")


async def leak_events(url: str, events: Sequence[bytes]) -> None:
    client = Client()
    await client.connect(url)
    try:
        stream = client.jetstream()
        await stream.add_stream(name="LEAK", subjects=["leak"])
        for event in events:
            await stream.publish("leak", event)
    finally:
        await client.close()
