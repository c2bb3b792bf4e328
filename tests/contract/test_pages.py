"""Pages of lists (AIP-158): no entry is missed or repeated, and a token fits its own list alone."""

import base64
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from quanyutong.common.v1 import audit_pb2
from quanyutong.meetings.v1 import attendance_pb2 as attendance_of_meeting
from quanyutong.meetings.v1 import meeting_pb2, venues_pb2
from quanyutong.registry.v1 import (
    activities_pb2,
    assemblies_pb2,
    attendance_pb2,
    contacts_pb2,
    districts_pb2,
    mandates_pb2,
    oversight_pb2,
    performance_pb2,
    persons_pb2,
    rules_pb2,
    stations_pb2,
    units_pb2,
)
from services.__main__ import TARGETS
from tests.contract.acts import delegates, entry, record, record_all
from tests.contract.office import SUBDISTRICT, TOWN, TOWNSHIP_CONGRESS, Office, in_days, new_people, on
from tests.harness import refused
from tests.meetings.secretariat import Secretariat, in_hours

INVALID = "ERROR_REASON_PAGE_TOKEN_INVALID"
ENTRIES = 7


# What fills a list returns the request for it, and one for the same list under another filter.
Requests = tuple[Any, Any]


async def districts(_: Office) -> Requests:
    return districts_pb2.ListDistrictsRequest(), districts_pb2.ListDistrictsRequest(as_of=on(in_days(1)))


async def units(office: Office) -> Requests:
    for number in range(ENTRIES):
        await office.unit(number)
    return units_pb2.ListUnitsRequest(), units_pb2.ListUnitsRequest(kind=SUBDISTRICT)


async def rules(_: Office) -> Requests:
    return rules_pb2.ListRulesRequest(), rules_pb2.ListRulesRequest(institution="votes")


async def assemblies(office: Office) -> Requests:
    for number in range(ENTRIES):
        await office.assembly(await office.unit(number, TOWN), TOWNSHIP_CONGRESS)
    request = assemblies_pb2.ListAssembliesRequest
    return request(), request(kind=TOWNSHIP_CONGRESS)


async def terms(office: Office) -> Requests:
    assembly = await office.assembly()
    for number in range(ENTRIES):
        await office.open_term(assembly, number + 1, in_days(number), in_days(number + 1))
    request = assemblies_pb2.ListTermsRequest
    return request(parent=assembly), request(parent=await office.congress())


async def persons(office: Office) -> Requests:
    for number in range(ENTRIES):
        await office.person(f"代表{number}")
    request = persons_pb2.ListPersonsRequest
    return request(display_name_prefix="代表"), request(display_name_prefix="代")


async def mandates(office: Office) -> Requests:
    await office.register(await office.term(), new_people(ENTRIES))
    request = mandates_pb2.ListMandatesRequest
    return request(states=[mandates_pb2.MANDATE_STATE_ACTIVE]), request()


async def audit(office: Office) -> Requests:
    for number in range(ENTRIES):
        await office.person(f"代表{number}")
    request = audit_pb2.ListAuditRequest
    return request(resource="person"), request(resource="person", subject="tester")


async def stations(office: Office) -> Requests:
    unit = await office.unit()
    for _ in range(ENTRIES):
        await office.station(unit)
    request = stations_pb2.ListStationsRequest
    return request(), request(unit=unit)


async def rota_entries(office: Office) -> Requests:
    station, delegate = await office.station(await office.unit(2)), await office.delegate()
    for number in range(ENTRIES):
        await office.assigned(station, delegate, in_days(number), in_days(number + 1))
    request = stations_pb2.ListRotaEntriesRequest
    return request(), request(station=station)


async def contacts(office: Office) -> Requests:
    delegate = await office.delegate()
    for _ in range(ENTRIES):
        await office.contact(delegate, person=await office.person())
    request = contacts_pb2.ListContactsRequest
    return request(), request(mandate=delegate)


async def oversight_groups(office: Office) -> Requests:
    """Of two terms: one has four groups."""
    for number in (1, 2):
        term = await office.term(await office.assembly(await office.unit(number)))
        for topic in oversight_pb2.OversightTopic.values()[1:]:
            await office.oversight_group(term, topic)
    request = oversight_pb2.ListOversightGroupsRequest
    return request(), request(as_of=on(in_days(0)))


async def attendees(office: Office) -> Requests:
    term = await office.term()
    await office.register(term, new_people(ENTRIES))
    request = attendance_pb2.ListAttendeesRequest
    assembly = term.partition("/terms/")[0]
    return request(parent=assembly), request(parent=assembly, capacities=[mandates_pb2.CAPACITY_RESIDENT])


async def activities(office: Office) -> Requests:
    (mandate,) = await delegates(office)
    await record_all(office, *(entry(mandate) for _ in range(ENTRIES)))
    request = activities_pb2.ListActivitiesRequest
    return request(), request(mandate=mandate)


async def performance(office: Office) -> Requests:
    term = await office.term()
    names = (await office.register(term, new_people(ENTRIES), in_days(-20))).mandates
    await record(office, *names)
    request = performance_pb2.ListPerformanceRequest
    return request(), request(term=term)


# Each list and what fills it, by the RPC's name.
LISTS: dict[str, Callable[[Office], Awaitable[Requests]]] = {
    f"List{fill.__name__.title().replace('_', '')}": fill
    for fill in (
        *(districts, units, rules, assemblies, terms, persons, mandates, audit),
        *(stations, rota_entries, contacts, oversight_groups, attendees),
        *(activities, performance),
    )
}


async def venues(office: Office) -> Requests:
    for number in range(ENTRIES):
        await Secretariat(office.tenant).venue(f"第{number}会议室")
    return venues_pb2.ListVenuesRequest(), venues_pb2.ListVenuesRequest(show_closed=True)


async def meetings(office: Office) -> Requests:
    """Two of them begin at the same moment."""
    secretariat = Secretariat(office.tenant)
    body, start = await secretariat.assembly_of(0), in_hours(24)
    for number in range(ENTRIES):
        await secretariat.meeting(body, start + timedelta(hours=max(number, 1)))
    return meeting_pb2.ListMeetingsRequest(), meeting_pb2.ListMeetingsRequest(body=body)


async def roll(office: Office) -> Requests:
    secretariat = Secretariat(office.tenant)
    meeting = (await secretariat.meeting(await secretariat.assembly_of(0))).name
    for number in range(ENTRIES):
        observer = attendance_of_meeting.AddObserverRequest(parent=meeting, display_name=f"列席{number}")
        await office.meet("AddObserver", observer)
    request = attendance_of_meeting.ListAttendeesRequest
    return request(parent=meeting), request(parent=meeting, presence=attendance_of_meeting.PRESENCE_FILTER_ABSENT)


async def audit_of_meetings(office: Office) -> Requests:
    await venues(office)
    request = audit_pb2.ListAuditRequest
    return request(resource="venue"), request(resource="venue", subject="tester")


# Those of the meetings service.
LISTS |= {
    "meetings.ListVenues": venues,
    "meetings.ListMeetings": meetings,
    "meetings.ListAttendees": roll,
    "meetings.ListAudit": audit_of_meetings,
}


# What an entry is known by that has no name of its own.
KEYS = {"ListAttendees": "person", "ListPerformance": "mandate"}


async def page(office: Office, rpc: str, request: Any, size: int, token: str = "") -> tuple[list[str], str]:
    """The names of one page's entries, and the token of the next."""
    request.page_size, request.page_token = size, token
    service, _, method = rpc.rpartition(".")
    answer = await (office.meet if service else office.call)(method, request)
    (field,) = (name for name in answer.DESCRIPTOR.fields_by_name if name != "next_page_token")
    key = KEYS.get(rpc, "name")
    return [getattr(entry, key) for entry in getattr(answer, field)], answer.next_page_token


async def test_every_list_is_tested() -> None:
    names = {method.name for method in TARGETS["registry"].service.methods}
    assert {name for name in names if name.startswith("List")} == {name for name in LISTS if "." not in name}


@pytest.mark.parametrize("rpc", LISTS)
async def test_pages_together_are_the_list(office: Office, rpc: str) -> None:
    request, _ = await LISTS[rpc](office)
    whole, end = await page(office, rpc, request, 500)
    assert len(whole) >= ENTRIES
    assert end == ""
    for size in (3, len(whole) - 1, len(whole)):
        found, token = await page(office, rpc, request, size)
        while token:
            assert len(found) % size == 0
            more, token = await page(office, rpc, request, size, token)
            assert more
            found += more
        assert found == whole


@pytest.mark.parametrize("rpc", LISTS)
async def test_token_fits_its_list_and_filters_alone(office: Office, rpc: str) -> None:
    request, filtered = await LISTS[rpc](office)
    _, token = await page(office, rpc, request, 3)
    assert await refused(page(office, rpc, filtered, 3, token)) == INVALID
    other: Any = rules_pb2.ListRulesRequest() if rpc != "ListRules" else districts_pb2.ListDistrictsRequest()
    other_rpc = "ListRules" if rpc != "ListRules" else "ListDistricts"
    assert await refused(page(office, other_rpc, other, 3, token)) == INVALID
    for damaged in (token[:-4], token[1:], "x", "a" * 600, "é", base64.urlsafe_b64encode(b"[]").decode()):
        assert await refused(page(office, rpc, request, 3, damaged)) == INVALID
    # The size of a page may change on the way.
    assert (await page(office, rpc, request, 1, token))[0]


@pytest.mark.parametrize("rpc", LISTS)
async def test_forged_tokens_are_refused(office: Office, rpc: str) -> None:
    """The key of a token goes into a query: what cannot be one is refused, not tried."""
    request, _ = await LISTS[rpc](office)
    bound = json.loads(base64.urlsafe_b64decode((await page(office, rpc, request, 3))[1]))[0]
    keys: list[list[Any]] = [["\0"], ["\ud800"], [7], [None], [{}], ["a", "b"], []]
    for key in keys:
        forged = base64.urlsafe_b64encode(json.dumps([bound, *key]).encode()).decode()
        assert await refused(page(office, rpc, request, 3, forged)) == INVALID, key


async def test_number_beyond_the_column(office: Office) -> None:
    request, _ = await terms(office)
    bound = json.loads(base64.urlsafe_b64decode((await page(office, "ListTerms", request, 3))[1]))[0]
    for number in ("9" * 10, "9" * 400, f"-{'9' * 30}", "1e5", "x"):
        forged = base64.urlsafe_b64encode(json.dumps([bound, number]).encode()).decode()
        assert await refused(page(office, "ListTerms", request, 3, forged)) == INVALID, number


async def test_entries_made_on_the_way_are_neither_missed_nor_repeated(office: Office) -> None:
    request, _ = await persons(office)
    found, token = await page(office, "ListPersons", request, 3)
    added = await office.person("代表新")
    while token:
        more, token = await page(office, "ListPersons", request, 3, token)
        found += more
    assert len(set(found)) == len(found) == ENTRIES + 1
    assert found[-1] == added


async def test_size_of_a_page(office: Office) -> None:
    """50 unless asked for, at most 500."""
    await office.register(await office.term(await office.congress()), new_people(501))
    request = persons_pb2.ListPersonsRequest()
    sizes = {size: len((await page(office, "ListPersons", request, size))[0]) for size in (0, 1, 500, 501, 2**31 - 1)}
    assert sizes == {0: 50, 1: 1, 500: 500, 501: 500, 2**31 - 1: 500}
    assert await refused(page(office, "ListPersons", request, -1)) == "ERROR_REASON_FIELD_INVALID"
