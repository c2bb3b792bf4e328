"""Plays the proposals to Baitao's (白涛) assembly through the API, from wherever an earlier run left them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chassis.wire import date_message
from quanyutong.feedback.v1 import proposals_pb2 as pb
from tests.demo.desk import Desk, several
from tests.demo.said import FIRST_DAY, Place, Proposal

ANSWER = "已研究办理，第{number}次答复（演示数据）"
HELPED = "协办意见（演示数据）"
JUDGED = "对第{number}次答复的评价（演示数据）"
Steps = Mapping[int, tuple[str, Mapping[str, Any]]]


class Proposing:
    """The proposals of one place."""

    def __init__(self, desk: Desk, place: Place) -> None:
        self._desk = desk
        self._place = place

    async def play(self, planned: Sequence[Proposal], advance: Callable[[], None]) -> int:
        """Plays what is missing, or raises the first refusal. Returns how many were not there before."""
        there = {proposal.title: proposal for proposal in await self.proposals()}

        async def handled(one: Proposal) -> None:
            proposal = there.get(one.title) or await self._handed_in(one)
            while step := next_step(proposal, one):
                verb, fields = step
                request = getattr(pb, f"{verb}ProposalRequest")(name=proposal.name, **fields)
                proposal = await self._desk.change(f"{verb}Proposal", request)
            advance()

        await several(handled, planned)
        return sum(one.title not in there for one in planned)

    async def proposals(self) -> list[pb.DelegateProposal]:
        request = pb.ListDelegateProposalsRequest(unit=self._place.unit, year=FIRST_DAY.year)
        return await self._desk.all("ListDelegateProposals", "proposals", request)

    async def _handed_in(self, one: Proposal) -> pb.DelegateProposal:
        entry = pb.DelegateProposal(
            title=one.title,
            content=f"{one.matter.asked}，请有关部门研究办理。",
            category=one.matter.category,
            unit=self._place.unit,
            mandates=one.signatories,
            meeting=one.meeting,
            disclosure=one.disclosure,
            submit_date=date_message(one.day),
        )
        made: pb.DelegateProposal = await self._desk.change("CreateProposal", pb.CreateProposalRequest(proposal=entry))
        return made


def next_step(proposal: pb.DelegateProposal, one: Proposal) -> tuple[str, Mapping[str, Any]] | None:
    """What is done next with a proposal, and with what; None once it is closed."""
    waiting = [each.display_name for each in proposal.undertakers if not each.lead and not each.co_answer]
    if proposal.state == pb.PROPOSAL_STATE_ASSIGNED and waiting:
        return "CoAnswer", {"undertaker": waiting[0], "content": HELPED}
    if proposal.state == pb.PROPOSAL_STATE_ANSWERED:
        return "Judge", _judgement(proposal, one)
    answer = {"content": ANSWER.format(number=len(proposal.answers) + 1), "outcome": one.outcome}
    steps: Steps = {
        pb.PROPOSAL_STATE_SUBMITTED: ("Register", {}),
        pb.PROPOSAL_STATE_REGISTERED: ("Examine", {}),
        pb.PROPOSAL_STATE_FILED: ("Assign", {"undertakers": one.matter.undertakers}),
        pb.PROPOSAL_STATE_ASSIGNED: ("Answer", answer),
        pb.PROPOSAL_STATE_REOPENED: ("Answer", answer),
    }
    return steps.get(proposal.state)


def _judgement(proposal: pb.DelegateProposal, one: Proposal) -> Mapping[str, Any]:
    """By the next signatory; all judge an answer alike."""
    number = len(proposal.answers)
    judged = {each.mandate for each in proposal.answers[-1].judgements}
    signatory = next(mandate for mandate in proposal.mandates if mandate not in judged)
    return {"mandate": signatory, "judgement": one.grades[number - 1], "reason": JUDGED.format(number=number)}
