"""The annual plan in tests: bodies that last through the next year, what they owe in it, and what is proposed."""

from datetime import date, datetime
from typing import Any

from google.type.date_pb2 import Date

from chassis import clock
from quanyutong.meetings.v1 import plan_pb2 as pb
from tests.contract.office import CONGRESS, in_days
from tests.harness import until
from tests.meetings.secretariat import Secretariat

YEAR = clock.today().year + 1
PLAN = f"plans/{YEAR}"


def day(given: Date) -> date:
    return date(given.year, given.month, given.day)


def local(moment: Any) -> datetime:
    """An instant of the API, in Chongqing."""
    found: datetime = moment.ToDatetime(clock.SHANGHAI)
    return found


async def owed(secretariat: Secretariat, **filters: Any) -> list[pb.Obligation]:
    request = pb.ListObligationsRequest(year=YEAR, page_size=500, **filters)
    return list((await secretariat.meet("ListObligations", request)).obligations)


async def known(secretariat: Secretariat, obligations: int) -> list[pb.Obligation]:
    """As soon as the meetings service has heard of so many."""

    async def all_there() -> list[pb.Obligation] | None:
        found = await owed(secretariat)
        return found if len(found) == obligations else None

    found = await until(all_there)
    assert found
    return found


async def assembly_for_years(secretariat: Secretariat, number: int = 1) -> str:
    """An assembly whose term lasts through the year that is planned."""
    assembly = await secretariat.assembly(await secretariat.unit(number))
    await secretariat.open_term(assembly, start=in_days(-700), end=in_days(1100))
    return assembly


async def congress_for_years(secretariat: Secretariat) -> str:
    congress = await secretariat.assembly("", CONGRESS)
    await secretariat.open_term(congress, start=in_days(-700), end=in_days(1100))
    return congress


async def planned(secretariat: Secretariat) -> pb.Plan:
    made: pb.Plan = await secretariat.meet("PlanYear", pb.PlanYearRequest(year=YEAR))
    return made


async def proposals(secretariat: Secretariat, **filters: Any) -> list[pb.Proposal]:
    request = pb.ListProposalsRequest(parent=PLAN, page_size=500, **filters)
    return list((await secretariat.meet("ListProposals", request)).proposals)


async def accept(secretariat: Secretariat, proposal: pb.Proposal, **fields: Any) -> pb.Proposal:
    request = pb.AcceptProposalRequest(name=proposal.name, **fields)
    accepted: pb.Proposal = await secretariat.meet("AcceptProposal", request)
    return accepted
