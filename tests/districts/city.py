"""A city whose districts are handled as a whole: a platform, a further database, and the commands of an operator."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import grpc
from pydantic import SecretStr

from chassis.moving.settling import settle
from chassis.settings import Settings
from quanyutong.registry.v1 import districts_pb2, persons_pb2
from services.__main__ import TARGETS
from tests.ballots.polling import polling_of
from tests.ballots.season import Season
from tests.conftest import tenant_of
from tests.contract.acts import record
from tests.contract.office import Office, in_days, new_people, on
from tests.districts.everything import Answers, everything
from tests.feedback.hearing import Hearing, furnished
from tests.harness import Platform, Process, refused, run_command, until
from tests.meetings.met import met
from tests.meetings.secretariat import Secretariat

SILO = "silo"
READERS = ("clerk", "examiner", "administrator", "viewer")


def silo_url(city: Platform) -> str:
    return city.postgres.url.rpartition("/")[0] + f"/{SILO}"


async def make_silo(city: Platform) -> None:
    connection = await asyncpg.connect(city.postgres.url)
    await connection.execute(f"CREATE DATABASE {SILO}")
    await connection.close()


async def qyt(city: Platform, words: str, status: int = 0, program: str = "services", **settings: str) -> str:
    """Runs a command of the operator's, beside the platform."""
    environment = {"QYT_GATEWAY_URL": city.gateway, **city.environment}
    environment |= {f"QYT_{name.upper()}": value for name, value in settings.items()}
    return await run_command(words.split(), environment, status, program)


def silos(city: Platform, *districts: str) -> str:
    return json.dumps(dict.fromkeys(districts, silo_url(city)))


async def restart(city: Platform, folder: Path, **settings: str) -> None:
    """The one process again, with other settings."""
    await city.processes["all"].leashed.stop()
    environment = {**city.environment, **{f"QYT_{name.upper()}": value for name, value in settings.items()}}
    city.processes["all"] = await Process.start("all", ["services", "serve", "--target=all"], environment, folder)


@asynccontextmanager
async def office_of(city: Platform, district: str) -> AsyncIterator[Office]:
    async with tenant_of(city, "direct", district) as tenant:
        yield Office(tenant)


async def settled(city: Platform) -> str:
    """A fresh district with something of everything, some of it changed since, and all of it heard by everybody."""
    district = await city.fresh_district()
    async with office_of(city, district) as office:
        unit = await office.unit()
        term = await office.term(await office.assembly(unit))
        facts: dict[str, Any] = {"birth_date": on("1980-06-01"), "residence": unit, "residence_since": on("2001-01-01")}
        people = new_people(5, **facts)
        await office.register(term, people, request_id="0b9f3c1e-5a55-4d0e-9a51-6f2d4b7f6a01")
        person = await office.person("张 “三” \\ 李四\u2028", **facts)
        delegate = await office.active(term, person)
        await record(office, delegate, day=in_days(0))
        await office.assigned(await office.station(unit), delegate)
        await office.contact(delegate, person=await office.person())
        await office.join(await office.oversight_group(term), delegate)
        await office.recommended(term, await office.person(**facts))
        changed = persons_pb2.Person(name=person, display_name="改名", schooling=persons_pb2.SCHOOLING_BACHELOR)
        update = persons_pb2.UpdatePersonRequest(person=changed)
        update.update_mask.paths.extend(["display_name", "schooling"])
        await office.call("UpdatePerson", update)
        await office.override("77")
        await Season(office.tenant).furnished(await office.assembly(await office.unit(40)))
        met_by = await office.term(await office.assembly(await office.unit(2)))
        await office.delegate(met_by)
        body = met_by.partition("/terms/")[0]
        await met(Secretariat(office.tenant), body)
        await polling_of(Secretariat(office.tenant)).announced_at(body)
        await furnished(Hearing(office.tenant), delegate)
    await settle(list(TARGETS.values()), beside(city), district, sealed=False)
    return district


def beside(city: Platform) -> Settings:
    """The settings of a command that is run where the platform is."""
    urls = {"database_url": SecretStr(city.postgres.url), "nats_url": SecretStr(city.nats.url)}
    return city.settings.model_copy(update=urls)


async def answers_of(city: Platform, district: str) -> Answers:
    async with grpc.aio.insecure_channel(city.direct) as channel:
        return await everything(channel, city.metadata(READERS, district))


async def stop(city: Platform, district: str) -> None:
    async with office_of(city, district) as office:
        request = districts_pb2.SuspendDistrictRequest(name=f"districts/{district}", reason="搬迁")
        await office.operate("SuspendDistrict", request)
        await until(partial(_fares, office, "ERROR_REASON_DISTRICT_SUSPENDED"))


async def at_rest(city: Platform, district: str) -> None:
    """Returns when nothing is written any more for a suspended district: all is told, heard and sealed."""
    await settle(list(TARGETS.values()), beside(city), district)


async def resume(city: Platform, district: str) -> None:
    async with office_of(city, district) as office:
        await office.operate("ResumeDistrict", districts_pb2.ResumeDistrictRequest(name=f"districts/{district}"))
        await until(partial(_fares, office, ""))


async def _fares(office: Office, outcome: str) -> bool:
    """Whether a plain read is refused for this reason, or answered where there is none."""
    try:
        return await refused(office.call("ListPersons", persons_pb2.ListPersonsRequest())) == outcome
    except AssertionError:
        return not outcome
