"""Opinions that are merged."""

from quanyutong.feedback.v1 import merging_pb2 as merging
from quanyutong.feedback.v1 import opinions_pb2 as pb
from tests.contract.office import Office
from tests.contract.refusals import refused_with
from tests.feedback.hearing import Hearing


async def merge(hearing: Hearing, name: str, other: str) -> str:
    await hearing.hear("MergeOpinions", merging.MergeOpinionsRequest(name=name, opinions=[other]))
    return other


@refused_with("OPINION_MERGED")
async def handled_where_another_stands_for_it(office: Office) -> None:
    hearing = Hearing(office.tenant)
    gone = await merge(hearing, (await hearing.opinion()).name, (await hearing.opinion()).name)
    await hearing.handle("Acknowledge", gone)


@refused_with("OPINION_NOT_MERGED")
async def undone_before_it_was_merged(office: Office) -> None:
    hearing = Hearing(office.tenant)
    await hearing.hear("UnmergeOpinion", merging.UnmergeOpinionRequest(name=(await hearing.opinion()).name))


@refused_with("MERGE_REFUSED")
async def merged_into_itself(office: Office) -> None:
    hearing = Hearing(office.tenant)
    name = (await hearing.opinion()).name
    await merge(hearing, name, name)


@refused_with("ANSWER_JUDGED")
async def judged_twice_while_others_have_not(office: Office) -> None:
    hearing = Hearing(office.tenant)
    name = await hearing.routed()
    await merge(hearing, name, (await hearing.opinion()).name)
    await hearing.handle("Answer", name, content="已修好")
    for _ in range(2):
        await hearing.handle("Judge", name, judgement=pb.JUDGEMENT_SATISFIED)
