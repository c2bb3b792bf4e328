"""Pages of what belongs to a sitting: no entry is missed or repeated, and a token fits its own list alone."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from quanyutong.meetings.v1 import (
    agenda_pb2,
    attachments_pb2,
    deliberation_pb2,
    measures_pb2,
    preparations_pb2,
    questions_pb2,
    speakers_pb2,
)
from tests.contract.office import NOBODY
from tests.harness import refused
from tests.meetings.items import convened, item, opinion
from tests.meetings.secretariat import Secretariat
from tests.meetings.sitting import INQUIRY, agree, ask, attach, consultation, enlist, hall, link, speak

ENTRIES = 5
# The request for a list that was filled, and one for the same list with another filter.
Requests = tuple[Any, Any]


async def agenda_items(secretariat: Secretariat) -> Requests:
    meeting, other = await convened(secretariat), await consultation(secretariat, 2)
    for _ in range(ENTRIES):
        await item(secretariat, meeting)
    request = agenda_pb2.ListAgendaItemsRequest
    return request(meeting=meeting), request(meeting=other)


async def deliberation_opinions(secretariat: Secretariat) -> Requests:
    meeting = await convened(secretariat)
    source = (await item(secretariat, meeting)).name
    for _ in range(ENTRIES):
        await opinion(secretariat, source)
    request = deliberation_pb2.ListDeliberationOpinionsRequest
    return request(), request(meeting=meeting)


async def speakers(secretariat: Secretariat) -> Requests:
    """One delegate, who withdraws again and again."""
    _, item_name, (mandate,) = await hall(secretariat, 1)
    for _ in range(ENTRIES):
        await speak(secretariat, "WithdrawSpeaker", (await enlist(secretariat, item_name, mandate)).name)
    request = speakers_pb2.ListSpeakersRequest
    return request(parent=item_name), request(parent=item_name, state=speakers_pb2.SPEAKER_STATE_WITHDRAWN)


async def questions(secretariat: Secretariat) -> Requests:
    _, item_name, (mandate,) = await hall(secretariat, 1, item_class=INQUIRY)
    for _ in range(ENTRIES):
        await ask(secretariat, item_name, mandate)
    request = questions_pb2.ListQuestionsRequest
    return request(parent=item_name), request(parent=item_name, unanswered=True)


async def attachments(secretariat: Secretariat) -> Requests:
    meeting = await convened(secretariat)
    item_name, other = [(await item(secretariat, meeting)).name for _ in range(2)]
    for _ in range(ENTRIES):
        await attach(secretariat, item_name)
    request = attachments_pb2.ListAttachmentsRequest
    return request(parent=item_name), request(parent=other)


async def preparations(secretariat: Secretariat) -> Requests:
    meeting, other = await convened(secretariat), await consultation(secretariat, 2)
    for number in range(ENTRIES):
        source = f"opinions/{NOBODY[:-1]}{number}"
        await link(secretariat, meeting, source, preparations_pb2.PREPARATION_KIND_OPINION)
    request = preparations_pb2.ListPreparationsRequest
    return request(parent=meeting), request(parent=other)


async def measures(secretariat: Secretariat) -> Requests:
    """Some are due on one day."""
    for number in range(1, ENTRIES + 1):
        await agree(secretariat, await consultation(secretariat, number), 30 + number // 3)
    request = measures_pb2.ListMeasuresRequest
    return request(), request(open=True)


LISTS: dict[str, Callable[[Secretariat], Awaitable[Requests]]] = {
    f"List{fill.__name__.title().replace('_', '')}": fill
    for fill in (agenda_items, deliberation_opinions, speakers, questions, attachments, preparations, measures)
}


async def page(secretariat: Secretariat, rpc: str, request: Any, size: int, token: str = "") -> tuple[list[str], str]:
    """The names of one page's entries, and the token of the next."""
    request.page_size, request.page_token = size, token
    answer = await secretariat.meet(rpc, request)
    (field,) = (name for name in answer.DESCRIPTOR.fields_by_name if name != "next_page_token")
    return [entry.name for entry in getattr(answer, field)], answer.next_page_token


@pytest.mark.parametrize("rpc", LISTS)
async def test_pages_together_are_the_list(secretariat: Secretariat, rpc: str) -> None:
    request, filtered = await LISTS[rpc](secretariat)
    whole, end = await page(secretariat, rpc, request, 500)
    assert (len(set(whole)), end) == (ENTRIES, "")
    found, token = await page(secretariat, rpc, request, 2)
    assert await refused(page(secretariat, rpc, filtered, 2, token)) == "ERROR_REASON_PAGE_TOKEN_INVALID"
    while token:
        more, token = await page(secretariat, rpc, request, 2, token)
        found += more
    assert found == whole
