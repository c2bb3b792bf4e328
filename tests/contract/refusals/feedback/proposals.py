"""Proposals of delegates."""

from quanyutong.feedback.v1 import opinions_pb2
from quanyutong.feedback.v1 import proposals_pb2 as pb
from tests.contract.office import NOBODY, Office
from tests.contract.refusals import refused_with
from tests.feedback.hearing import Hearing

SATISFIED = opinions_pb2.JUDGEMENT_SATISFIED


async def mandate_of(hearing: Hearing) -> str:
    return await hearing.active(await hearing.term())


@refused_with("PROPOSAL_NOT_FOUND")
async def proposal_that_is_not_there(office: Office) -> None:
    await office.hear("GetProposal", pb.GetProposalRequest(name=f"delegateProposals/{NOBODY}"))


@refused_with("PROPOSAL_STATE_REFUSED")
async def answered_before_it_was_registered(office: Office) -> None:
    hearing = Hearing(office.tenant)
    name = (await hearing.proposal(await mandate_of(hearing))).name
    await hearing.step("Answer", name, content="答", outcome=pb.OUTCOME_CLASS_A)


@refused_with("MANDATE_NOT_YOURS")
async def handed_in_for_another(office: Office) -> None:
    hearing = Hearing(office.tenant)
    mandate = await mandate_of(hearing)
    await hearing.proposal(mandate)
    await office.hear("CreateProposal", pb.CreateProposalRequest(proposal=hearing.written(mandate)), "delegate")


@refused_with("PROPOSAL_EXTENDED")
async def extended_twice(office: Office) -> None:
    hearing = Hearing(office.tenant)
    name = await hearing.assigned_proposal(await mandate_of(hearing))
    for _ in range(2):
        await hearing.step("Extend", name, reason="复杂", consent="同意")


@refused_with("UNDERTAKERS_REFUSED")
async def helped_by_none_of_them(office: Office) -> None:
    hearing = Hearing(office.tenant)
    name = await hearing.assigned_proposal(await mandate_of(hearing))
    await hearing.step("CoAnswer", name, undertaker="区教委", content="会办意见")


@refused_with("TIME_IS_OVER")
async def returned_too_late(office: Office) -> None:
    hearing = Hearing(office.tenant)
    name = await hearing.assigned_proposal(await mandate_of(hearing))
    await hearing.elapse(name, 60)
    await hearing.step("Return", name, reason="不属本单位")


@refused_with("SIGNATORY_REFUSED")
async def judged_by_who_did_not_sign(office: Office) -> None:
    hearing = Hearing(office.tenant)
    name = await hearing.answered_proposal(await mandate_of(hearing))
    other = await hearing.active(await hearing.term(await hearing.assembly(await hearing.unit(2))))
    await hearing.opinion(channel=opinions_pb2.OPINION_CHANNEL_DELEGATE, mandate=other)
    await hearing.step("Judge", name, mandate=other, judgement=SATISFIED)


@refused_with("JUDGED_ALREADY")
async def judged_twice(office: Office) -> None:
    hearing = Hearing(office.tenant)
    term = await hearing.term()
    signed = [await hearing.active(term) for _ in range(2)]
    name = await hearing.answered_proposal(*signed)
    for _ in range(2):
        await hearing.step("Judge", name, mandate=signed[0], judgement=SATISFIED)
