"""What came before a meeting is linked to it; the registry is asked whether it is there."""

from quanyutong.meetings.v1 import preparations_pb2 as pb
from tests.contract.acts import delegates, record, withdraw
from tests.contract.office import NOBODY
from tests.harness import refused
from tests.meetings.secretariat import Secretariat
from tests.meetings.sitting import link

PREFIX = "ERROR_REASON_"
OPINION, COLLECTION = pb.PREPARATION_KIND_OPINION, pb.PREPARATION_KIND_OPINION_COLLECTION


async def test_inspections_and_opinions_are_linked_and_listed(secretariat: Secretariat) -> None:
    meeting = (await secretariat.meeting(await secretariat.assembly_of(0))).name
    (mandate,) = await delegates(secretariat, term=await secretariat.term(await secretariat.congress()))
    inspection, collection = [(await record(secretariat, mandate)).name for _ in range(2)]
    links = [
        await link(secretariat, meeting, inspection, note="视察三个村"),
        await link(secretariat, meeting, collection, COLLECTION),
        await link(secretariat, meeting, f"opinions/{NOBODY}", OPINION),
    ]
    request = pb.ListPreparationsRequest(parent=meeting)
    found = list((await secretariat.meet("ListPreparations", request)).preparations)
    assert [one.name for one in found] == links
    assert (found[0].source, found[0].note, found[2].kind) == (inspection, "视察三个村", OPINION)
    assert await refused(link(secretariat, meeting, inspection)) == f"{PREFIX}PREPARATION_LINKED"
    await secretariat.meet("UnlinkPreparation", pb.UnlinkPreparationRequest(name=links[0]))
    again = secretariat.meet("UnlinkPreparation", pb.UnlinkPreparationRequest(name=links[0]))
    assert await refused(again) == f"{PREFIX}ENTRY_NOT_FOUND"
    # What the registry no longer counts is not linked either.
    await withdraw(secretariat, inspection)
    assert await refused(link(secretariat, meeting, inspection)) == f"{PREFIX}PREPARATION_SOURCE_REFUSED"
    await secretariat.do("Cancel", meeting, reason="改期")
    late = link(secretariat, meeting, f"opinions/{NOBODY[:-1]}1", OPINION)
    assert await refused(late) == f"{PREFIX}PHASE_REFUSED"


async def test_a_source_fits_its_kind_and_is_there(secretariat: Secretariat) -> None:
    meeting = (await secretariat.meeting(await secretariat.assembly_of(0))).name
    for source, kind in (
        (f"activities/{NOBODY}", pb.PREPARATION_KIND_INSPECTION),
        (f"opinions/{NOBODY}", COLLECTION),
        (f"activities/{NOBODY}", OPINION),
    ):
        assert await refused(link(secretariat, meeting, source, kind)) == f"{PREFIX}PREPARATION_SOURCE_REFUSED"
