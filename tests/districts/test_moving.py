"""A district is taken out, erased, brought in, and moved to a database of its own: it answers as before."""

import asyncio
import json
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import grpc
import nats
import pytest

from chassis.bus import stream_of
from chassis.moving.tables import PASSING
from quanyutong.registry.v1 import persons_pb2
from tests.districts.city import (
    answers_of,
    make_silo,
    office_of,
    qyt,
    restart,
    resume,
    settled,
    silo_url,
    silos,
    stop,
)
from tests.districts.everything import reading
from tests.harness import Platform, platform, until
from tests.isolation.rpcs import short

# What a client sees of a process that ends, or is not there.
AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


@pytest.fixture(scope="module")
async def own_city(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Platform, Path]]:
    """A platform of this module alone: its settings change."""
    folder = tmp_path_factory.mktemp("districts")
    async with platform("all", folder) as city:
        yield city, folder


BY_ITSELF = ("district", "obligation_count")


def kept(archive: Path) -> dict[str, bytes]:
    """Its files but for what passes or is counted by itself, and what names the day."""
    with zipfile.ZipFile(archive) as opened:
        names = [name for name in opened.namelist() if name.endswith(".jsonl")]
        return {name: opened.read(name) for name in names if Path(name).stem not in {*PASSING, *BY_ITSELF}}


@asynccontextmanager
async def others_are_served(city: Platform, district: str) -> AsyncIterator[None]:
    """Another district goes on all the while; it asks again where a process is away, and loses nothing."""
    wanted, stopped = list[str](), asyncio.Event()

    async def work() -> None:
        while not stopped.is_set():
            wanted.append(f"代表{len(wanted)}")
            person = persons_pb2.Person(display_name=wanted[-1])
            request = persons_pb2.CreatePersonRequest(person=person, request_id=str(uuid4()))
            await until(partial(_entered, city, district, request))

    task = asyncio.create_task(work())
    try:
        yield
    finally:
        stopped.set()
        await task
    async with office_of(city, district) as office:
        answer = await office.call("ListPersons", persons_pb2.ListPersonsRequest(page_size=500))
    assert [person.display_name for person in answer.persons] == wanted[:500]
    assert len(wanted) > 10


async def _entered(city: Platform, district: str, request: persons_pb2.CreatePersonRequest) -> bool:
    try:
        async with office_of(city, district) as office:
            await office.call("CreatePerson", request)
    except grpc.aio.AioRpcError as error:
        if error.code() not in AWAY:
            raise
        return False
    return True


async def test_a_district_moves_to_a_database_of_its_own(own_city: tuple[Platform, Path], tmp_path: Path) -> None:
    city, folder = own_city
    moved, other = await settled(city), await city.fresh_district()
    before = await answers_of(city, moved)
    assert {short(path) for path, _ in before} == {short(path) for path in reading()}
    assert len(before) > 30
    await make_silo(city)
    settings: dict[str, Any] = {"silos": silos(city, moved)}
    archive = tmp_path / "moved.zip"

    async with others_are_served(city, other):
        await qyt(city, "migrate", **settings)
        assert f"{moved} is active" in await qyt(city, f"districts move {moved} --archive {archive}", 1, **settings)
        assert f"districts move {moved}" in await qyt(city, "serve --target registry", 1, **settings)
        await stop(city, moved)
        await qyt(city, f"districts move {moved} --archive {archive}", **settings)
        await restart(city, folder, **settings)
        erase = f"districts erase {moved} --yes-erase {moved} --by 运维 --left-in-pool --archive {archive}"
        assert '"left_in_pool": true' in await qyt(city, erase, **settings)
        await resume(city, moved)

    assert await answers_of(city, moved) == before
    again = tmp_path / "again.zip"
    await qyt(city, f"districts export {moved} --output {again}", **settings)
    assert kept(again) == kept(archive)
    await qyt(city, f"districts export {moved} --output {tmp_path / 'pool.zip'}")
    left = kept(tmp_path / "pool.zip")
    left.pop("registry/audit.jsonl", b"")  # that it was resumed: the directory is the city's
    assert not any(left.values())

    async with office_of(city, moved) as office:
        await office.person("在自己的库里")
    assert await has_persons_of(silo_url(city)) == {moved}
    assert moved not in await has_persons_of(city.postgres.url)


async def has_persons_of(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        return {row["district"] for row in await connection.fetch("SELECT DISTINCT district FROM registry.person")}
    finally:
        await connection.close()


async def test_an_erased_district_comes_back_from_its_archive(own_city: tuple[Platform, Path], tmp_path: Path) -> None:
    city, _ = own_city
    district, archive = await settled(city), tmp_path / "district.zip"
    before = await answers_of(city, district)
    erase = f"districts erase {district} --yes-erase {district} --by 运维 --archive {archive}"
    assert f"{district} is active" in await qyt(city, f"districts export {district} --settled --output {archive}", 1)
    await stop(city, district)
    said = await qyt(city, f"districts export {district} --settled --output {archive}")
    fingerprint = said.split()[-1]
    assert archive.stat().st_mode & 0o777 == 0o600
    assert "already" in await qyt(city, f"districts import {archive}", 1)
    record = json.loads((await qyt(city, erase)).splitlines()[-1].split("\t")[-1])
    assert (record["district"], record["erased_by"], record["archive"]) == (district, "运维", fingerprint)
    assert record["rows"]["registry.person"] == 9

    await qyt(city, f"districts import {archive}")
    await resume(city, district)
    assert await answers_of(city, district) == before


async def test_events_go_on_after_a_move(own_city: tuple[Platform, Path]) -> None:
    """The relay of the silo delivers what is committed there."""
    city, _ = own_city
    (district,) = await has_persons_of(silo_url(city))
    before = await published(city, district)
    async with office_of(city, district) as office:
        await office.active(await office.term(await office.assembly(await office.unit(3))))

    async def all_delivered() -> bool:
        return await published(city, district) == before + 3  # an assembly, a term, a mandate

    await until(all_delivered)


async def published(city: Platform, district: str) -> int:
    """How many events of the district the stream of the registry has."""
    bus = await nats.connect(city.nats.url)
    try:
        info = await bus.jetstream().stream_info(stream_of("registry"), subjects_filter=f"qyt.{district}.>")
        return sum((info.state.subjects or {}).values())
    finally:
        await bus.close()
