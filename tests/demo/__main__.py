"""`python -m tests.demo`: from nothing to the table of the city, and to an end."""

import asyncio
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
import grpc
import uvloop

from chassis.faults import OperatorFault
from chassis.settings import Settings
from quanyutong.ballots.v1.ballots_pb2_grpc import BallotsServiceStub
from quanyutong.feedback.v1.feedback_pb2_grpc import FeedbackServiceStub
from quanyutong.meetings.v1.meetings_pb2_grpc import MeetingsServiceStub
from quanyutong.municipal.v1.municipal_pb2_grpc import MunicipalServiceStub
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from quanyutong_client.checking import said
from quanyutong_client.verification import verify
from tests.demo import plan, published, table
from tests.demo.adding import added_up
from tests.demo.baitao import UNIT, Baitao
from tests.demo.city import City, bearer, overseer
from tests.demo.desk import Desk
from tests.demo.heard import Heard, evaluated, seen_by_the_asker
from tests.demo.held import CityYear, midyear
from tests.demo.holding import RosterLate
from tests.demo.meetings import Meetings
from tests.demo.registering import District, Metadata, register
from tests.demo.said import Place
from tests.demo.seasons import Seasons
from tests.demo.standing import PlatformFailed, connected, hall_at, standing
from tests.demo.voices import Voices
from tests.demo.year import BaitaosYear

INTERRUPTED = 130
# Of what is entered: another one for each change by which a state would count other figures.
EDITION = "2"
# Whose meetings are read back whole.
READ = (published.BAITAO, published.WUJIA, published.NAN_AN)
SYNTHETIC = "Every person is synthetic, and named so: a surname, 某, the subdistrict's code and a number."
SOURCE = "Published: press conference of the city's people's congress, 23 January 2024. Counted: by the services."


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Says how long the block took."""
    started = time.monotonic()
    yield
    click.echo(f"{what}: {time.monotonic() - started:.1f} s")


def check_edition(kept: Path) -> None:
    """What an earlier edition entered is not what this one counts. Raises OperatorFault."""
    marked = kept / "edition"
    if kept.exists() and (not marked.exists() or marked.read_text() != EDITION):
        raise OperatorFault(f"{kept.parent} holds the state of an earlier demo; remove it, and run this again")
    kept.mkdir(parents=True, exist_ok=True)
    marked.write_text(EDITION)


async def demo(settings: Settings) -> bool:
    """Whether every published figure came out. Raises OperatorFault for a state of an earlier demo."""
    started, kept = time.monotonic(), settings.state / "demo"
    check_edition(kept)
    async with standing(settings, overseer(settings)) as (gateway, ran_before):
        said = "runs already and is used" if ran_before else f"started in {time.monotonic() - started:.1f} s"
        click.echo(f"The platform at {gateway} {said}.")
        async with connected(gateway) as channel:
            stub = RegistryServiceStub(channel)
            city = City(stub, settings)
            districts = await registered(city, stub)
            subdistrict = Baitao(stub, city.staff(published.BAITAO[:6]))
            with timed("Stations and oversight groups of Baitao"):
                await subdistrict.register()
            year = BaitaosYear(stub, city.staff(published.BAITAO[:6]))
            with timed("Acts of duty of Baitao's delegates in 2023"):
                await year.record()
            sessions = MeetingsServiceStub(channel)
            meetings = Meetings(city, stub, sessions)
            await held(meetings, districts)
            seasons = Seasons(city, meetings, sessions, BallotsServiceStub(channel), hall_at(gateway), kept / "votes")
            await voted(seasons, districts)
            place = await where(subdistrict, year, meetings)
            desk = Desk(FeedbackServiceStub(channel), city.staff(published.BAITAO[:6]))
            voices = Voices(desk, place, year, kept / "feedback")
            await heard(voices)
            equal = await shown(city, subdistrict, year, meetings, seasons, voices)
            return await summed(MunicipalServiceStub(channel), bearer(overseer(settings))) and equal


async def registered(city: City, stub: RegistryServiceStub) -> Sequence[District]:
    districts = await city.planned()
    click.echo(f"Subdistricts with an assembly: {plan.RULE}.\n{SYNTHETIC}")
    bodies = sum(district.bodies for district in districts)
    with timed("Registered"), click.progressbar(length=bodies, label=f"Registering {bodies} assemblies") as bar:
        done = await register(districts, stub, city.staff, lambda: bar.update(1))
    click.echo(
        f"Found {done.bodies_found} congresses and assemblies, "
        f"entered {done.bodies_entered} with {done.mandates_entered:,} mandates."
    )
    return districts


async def held(meetings: Meetings, districts: Sequence[District]) -> None:
    count = sum(sum(district.meetings.values()) for district in districts)
    with timed("Held"), click.progressbar(length=count, label=f"Holding {count} meetings of 2023") as bar:
        done = await meetings.hold(districts, lambda: bar.update(1))
    click.echo(f"Found {count - done} meetings, held {done}.")


async def voted(seasons: Seasons, districts: Sequence[District]) -> None:
    count = sum(len(district.projects) for district in districts)
    label = f"Voting on livelihood projects in {count} bodies"
    with timed("Voted"), click.progressbar(length=count, label=label) as bar:
        done = await seasons.hold(districts, lambda: bar.update(1))
    click.echo(f"Found {count - done} votes announced, held {done}.")


async def where(subdistrict: Baitao, year: BaitaosYear, meetings: Meetings) -> Place:
    """Baitao, to those who speak there."""
    sittings = [(each.meeting.name, each.day) for each in await meetings.read(published.BAITAO) if each.over]
    return Place(UNIT, await subdistrict.stations(), await year.delegates(), sittings)


async def heard(voices: Voices) -> None:
    count = published.BAITAO_OPINIONS + published.BAITAO_PROPOSALS
    label = f"Hearing {count} opinions and proposals of Baitao"
    with timed("Heard"), click.progressbar(length=count, label=label) as bar:
        done = await voices.play(lambda: bar.update(1))
    click.echo(f"Found {count - done} opinions and proposals, entered {done}.")


async def shown(
    city: City, subdistrict: Baitao, year: BaitaosYear, meetings: Meetings, seasons: Seasons, voices: Voices
) -> bool:
    with timed("Counted"):
        names, summaries, (mandates, holding_two) = await asyncio.gather(city.names(), city.summaries(), city.baitao())
        found, spoken = await subdistrict.found(), await voices.read()
        all_held = CityYear.of(await meetings.listed(names))
        projects, towns = await asyncio.gather(seasons.read(names), city.towns())
        baitao, wujia, nan_an = [await meetings.read(code) for code in READ]
    click.echo()
    for line in table.city(names, summaries):
        click.echo(line)
    figures = table.compared(summaries, [mandate.capacity for mandate in mandates], holding_two)
    figures += table.of_baitao(found) + table.of_the_year(spoken.counted) + table.of_what_was_heard(spoken)
    figures += table.of_meetings(all_held) + table.of_baitaos_meetings(baitao) + table.of_wujia(wujia)
    figures += table.of_projects(projects, towns)
    compared(f"state of {published.AS_OF}", ("published", "counted"), figures)
    told = table.of_acts_told(spoken)
    compared("acts of duty that one service tells the other", ("feedback", "registry"), told)
    for line in midyear(nan_an):
        click.echo(f"\nNot published, made up: {line}.")
    said_of(spoken)
    checked = verify(await seasons.board(published.NAN_AN))
    click.echo("\nThe published board of Nan'an's vote, recomputed from the file alone:")
    for line in said(checked):
        click.echo(f"  {line}")
    click.echo(f"\n{SOURCE}")
    return checked.is_sound and all(figure.equal for figure in [*figures, *told])


async def summed(stub: MunicipalServiceStub, metadata: Metadata) -> bool:
    """The published table of the city beside what the municipal service makes of what it was told."""
    with timed("\nAdded up by the city, from what the services told"):
        figures = await added_up(stub, metadata)
    compared(f"the city at {published.AS_OF}, as the municipal service adds it up", ("published", "added up"), figures)
    return all(figure.equal for figure in figures)


def compared(title: str, columns: tuple[str, str], figures: Sequence[table.Compared]) -> None:
    click.echo(f"\n{title:<60}{columns[0]:>10}{columns[1]:>10}")
    for figure in figures:
        click.echo(str(figure))


def said_of(heard: Heard) -> None:
    click.echo("\nNot published, made up: how the offices of Baitao handled the proposals of 2023.")
    for line in evaluated(heard.evaluations):
        click.echo(f"  {line}")
    click.echo(f"\nAn asker, by the secret code of the receipt alone: {seen_by_the_asker(heard.followed)}")


async def until_stopped(settings: Settings) -> bool:
    """The demo, ended in order by SIGTERM as it is by Ctrl-C."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await demo(settings)


def main() -> int:
    started = time.monotonic()
    try:
        equal = uvloop.run(until_stopped(Settings.load()))
    except (KeyboardInterrupt, asyncio.CancelledError):
        click.echo("stopped", err=True)
        return INTERRUPTED
    except (OperatorFault, PlatformFailed, plan.PlanImpossible, RosterLate) as fault:
        click.echo(f"Error: {fault}", err=True)
        return 1
    except grpc.aio.AioRpcError as refused:
        click.echo(f"Error: {refused.code().name}: {refused.details()}", err=True)
        return 1
    click.echo(f"Everything: {time.monotonic() - started:.1f} s.")
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
