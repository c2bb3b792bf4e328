"""Obligations and the annual plan."""

from datetime import timedelta

from chassis import clock
from quanyutong.meetings.v1 import plan_pb2
from tests.contract.office import NOBODY, Office
from tests.contract.refusals import refused_with
from tests.meetings.annual import (
    YEAR,
    accept,
    assembly_for_years,
    congress_for_years,
    known,
    local,
    planned,
    proposals,
)
from tests.meetings.secretariat import Secretariat


async def proposed(secretariat: Secretariat) -> plan_pb2.Proposal:
    """The first of the two meetings of an assembly."""
    await assembly_for_years(secretariat)
    await known(secretariat, 2)
    await planned(secretariat)
    return (await proposals(secretariat))[0]


@refused_with("PLAN_NOT_FOUND")
async def plan_that_nobody_made(office: Office) -> None:
    await office.meet("GetPlan", plan_pb2.GetPlanRequest(name=f"plans/{YEAR}"))


@refused_with("PLAN_NOT_FOUND")
async def proposals_of_no_plan(office: Office) -> None:
    await office.meet("ListProposals", plan_pb2.ListProposalsRequest(parent=f"plans/{YEAR}"))


@refused_with("PLAN_NOT_FOUND")
async def accepting_all_of_no_plan(office: Office) -> None:
    await office.meet("AcceptProposals", plan_pb2.AcceptProposalsRequest(parent=f"plans/{YEAR}"))


@refused_with("PLAN_YEAR_OVER")
async def planning_last_year(office: Office) -> None:
    await office.meet("PlanYear", plan_pb2.PlanYearRequest(year=clock.today().year - 1))


@refused_with("PROPOSAL_NOT_FOUND")
async def accepting_what_is_not_proposed(office: Office) -> None:
    await office.meet("AcceptProposal", plan_pb2.AcceptProposalRequest(name=f"proposals/{NOBODY}"))


@refused_with("PROPOSAL_NOT_FOUND")
async def rejecting_what_is_not_proposed(office: Office) -> None:
    await office.meet("RejectProposal", plan_pb2.RejectProposalRequest(name=f"proposals/{NOBODY}", reason="改期"))


@refused_with("PROPOSAL_STATE_REFUSED")
async def rejecting_twice(office: Office) -> None:
    request = plan_pb2.RejectProposalRequest(name=(await proposed(Secretariat(office.tenant))).name, reason="改期")
    await office.meet("RejectProposal", request)
    await office.meet("RejectProposal", request)


@refused_with("OBLIGATION_NOT_FOUND")
async def obligation_of_nobody(office: Office) -> None:
    name = f"obligations/{YEAR}.symposium.1.{NOBODY}"
    await office.meet("GetObligation", plan_pb2.GetObligationRequest(name=name))


@refused_with("OBLIGATION_NOT_FOUND")
async def obligation_of_another_kind_of_body(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    proposal = await proposed(secretariat)
    name = proposal.obligation.replace("assembly_meeting", "symposium")
    await office.meet("GetObligation", plan_pb2.GetObligationRequest(name=name))


@refused_with("PROPOSAL_OVERTAKEN")
async def accepting_after_the_meeting_was_entered(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    proposal = await proposed(secretariat)
    await secretariat.meeting(proposal.body, local(proposal.start_time) + timedelta(days=1))
    await accept(secretariat, proposal)


@refused_with("FORM_REFUSED")
async def a_mid_year_meeting_of_no_form(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    await congress_for_years(secretariat)
    await known(secretariat, 2)
    await planned(secretariat)
    (proposal,) = await proposals(secretariat, kind=plan_pb2.OBLIGATION_KIND_MIDYEAR_MEETING)
    await accept(secretariat, proposal)
