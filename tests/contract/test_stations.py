"""Stations (代表家站点) and their rota (轮值)."""

import asyncio
from typing import Any

import pytest

from chassis import clock
from quanyutong.registry.v1 import events_pb2, mandates_pb2
from quanyutong.registry.v1 import stations_pb2 as pb
from tests.contract.heard import heard
from tests.contract.office import HOUSE, LIAISON_POINT, STATION, Office, in_days, mask, on
from tests.harness import refused

BAITAO = pb.Position(datum=pb.DATUM_WGS84, latitude=29.5345, longitude=107.4783)


async def read(office: Office, name: str) -> pb.Station:
    station: pb.Station = await office.call("GetStation", pb.GetStationRequest(name=name))
    return station


async def update(office: Office, name: str, *paths: str, etag: str = "", **fields: Any) -> pb.Station:
    """With the values of an entry as the field rules want them, and these."""
    unit = f"units/{office.district}001"
    given: dict[str, Any] = {"kind": HOUSE, "display_name": "改名", "unit": unit, "address": "新址"}
    station = pb.Station(name=name, etag=etag, **given | fields)
    request = pb.UpdateStationRequest(station=station, update_mask=mask(*paths))
    saved: pb.Station = await office.call("UpdateStation", request)
    return saved


async def names(office: Office, **filters: Any) -> list[str]:
    answer = await office.call("ListStations", pb.ListStationsRequest(**filters))
    return [station.name for station in answer.stations]


async def rota(office: Office, **filters: Any) -> list[str]:
    answer = await office.call("ListRotaEntries", pb.ListRotaEntriesRequest(**filters))
    return [entry.name for entry in answer.rota_entries]


async def test_a_house_its_station_and_its_liaison_point(office: Office) -> None:
    unit = await office.unit()
    house = await office.station(unit, position=BAITAO)
    station = await office.station(unit, STATION, belongs_to=house)
    point = await office.station(unit, LIAISON_POINT, belongs_to=station)
    found = await read(office, house)
    assert (found.kind, found.unit, found.address, found.position, found.belongs_to, found.etag) == (
        HOUSE,
        unit,
        "试验路1号",
        BAITAO,
        "",
        '"1"',
    )
    assert (found.start_date, found.HasField("end_date")) == (on(in_days(-400)), False)
    assert (await read(office, point)).belongs_to == station
    assert not (await read(office, point)).HasField("position")


async def test_a_station_opens_today_unless_told(office: Office) -> None:
    station = pb.Station(kind=HOUSE, display_name="代表之家", unit=await office.unit(), address="试验路1号")
    opened = await office.call("CreateStation", pb.CreateStationRequest(station=station))
    assert opened.start_date == on(clock.today())


@pytest.mark.parametrize(
    "position",
    [
        pb.Position(datum=pb.DATUM_WGS84, latitude=107.4783, longitude=29.5345),
        pb.Position(latitude=29.5345, longitude=107.4783),
        pb.Position(datum=pb.DATUM_WGS84, latitude=29.5, longitude=180.1),
        pb.Position(datum=pb.DATUM_WGS84, latitude=float("nan"), longitude=107.5),
    ],
    ids=["turned round", "of no datum", "beyond the earth", "no number"],
)
async def test_what_is_no_position(office: Office, position: pb.Position) -> None:
    assert await refused(office.station(position=position)) == "ERROR_REASON_FIELD_INVALID"


async def test_each_kind_belongs_to_the_kind_above_it_alone(office: Office) -> None:
    unit = await office.unit()
    above = {kind: await office.station(unit, kind) for kind in (HOUSE, STATION, LIAISON_POINT)}
    for kind in above:
        for other, name in above.items():
            if (kind, other) in {(STATION, HOUSE), (LIAISON_POINT, STATION)}:
                await office.station(unit, kind, belongs_to=name)
            else:
                reason = await refused(office.station(unit, kind, belongs_to=name))
                assert reason == "ERROR_REASON_STATION_PARENT_REFUSED"


async def test_list_narrows_by_kind_unit_belonging_and_day(office: Office) -> None:
    here, there = await office.unit(1), await office.unit(2)
    house = await office.station(here, start_date=on(in_days(-50)))
    station = await office.station(there, STATION, belongs_to=house, start_date=on(in_days(-30)))
    closed = await office.station(here, STATION, belongs_to=house, start_date=on(in_days(-40)))
    await office.close_station(closed, in_days(-10))
    assert await names(office) == [house, station, closed]
    assert await names(office, kind=STATION) == [station, closed]
    assert await names(office, unit=here) == [house, closed]
    assert await names(office, belongs_to=house) == [station, closed]
    by_day = {days: await names(office, open_on=on(in_days(days))) for days in (-51, -50, -40, -11, -10)}
    assert by_day == {-51: [], -50: [house], -40: [house, closed], -11: [house, station, closed], -10: [house, station]}
    assert await names(office, kind=LIAISON_POINT) == []


async def test_update_changes_what_the_mask_names(office: Office) -> None:
    unit = await office.unit()
    house = await office.station(unit, position=BAITAO)
    station = await office.station(unit, STATION)
    named = await update(office, house, "display_name")
    assert (named.display_name, named.address, named.position, named.etag) == ("改名", "试验路1号", BAITAO, '"2"')
    moved = await update(office, house, "address", "position", etag='"2"')
    assert (moved.address, moved.HasField("position")) == ("新址", False)
    assert (await update(office, station, "belongs_to", belongs_to=house)).belongs_to == house
    assert (await update(office, station, "*", position=BAITAO)).belongs_to == ""
    assert await refused(update(office, house, "display_name", etag='"2"')) == "ERROR_REASON_ETAG_MISMATCH"
    for path in ("kind", "unit", "start_date"):
        assert await refused(update(office, house, path)) == "ERROR_REASON_FIELD_MASK_INVALID"
    reason = await refused(update(office, house, "belongs_to", belongs_to=station))
    assert reason == "ERROR_REASON_STATION_PARENT_REFUSED"


async def test_closing_keeps_the_reason_and_is_once(office: Office) -> None:
    house = await office.station()
    closed = await office.close_station(house, in_days(-3))
    assert (closed.end_date, closed.close_reason, closed.etag) == (on(in_days(-3)), "场地拆迁", '"2"')
    assert await read(office, house) == closed
    assert await refused(office.close_station(house)) == "ERROR_REASON_STATION_CLOSED"
    assert await refused(update(office, house, "display_name")) == "ERROR_REASON_STATION_CLOSED"


async def test_what_others_belong_to_is_closed_after_them(office: Office) -> None:
    unit = await office.unit()
    house = await office.station(unit)
    first, second = [await office.station(unit, STATION, belongs_to=house) for _ in range(2)]
    assert await refused(office.close_station(house)) == "ERROR_REASON_STATION_IN_USE"
    await office.close_station(first, in_days(10))
    await update(office, second, "belongs_to")
    assert await refused(office.close_station(house, in_days(9))) == "ERROR_REASON_STATION_IN_USE"
    await office.close_station(house, in_days(10))
    reason = await refused(office.station(unit, STATION, belongs_to=house))
    assert reason == "ERROR_REASON_STATION_CLOSED"


async def test_closing_as_seen_by_another(office: Office) -> None:
    house = await office.station()
    request = pb.CloseStationRequest(name=house, reason="场地拆迁", etag='"2"')
    assert await refused(office.call("CloseStation", request)) == "ERROR_REASON_ETAG_MISMATCH"


async def test_opening_and_closing_are_told(office: Office) -> None:
    unit = await office.unit()
    house = await office.station(unit, start_date=on(in_days(-9)))
    await office.close_station(house, in_days(-3))
    shared: dict[str, Any] = {"station": house, "kind": HOUSE, "unit": unit}
    (opened,) = await heard(office, events_pb2.StationOpened, 1)
    assert opened == events_pb2.StationOpened(start_date=on(in_days(-9)), display_name="试验站", **shared)
    (closed,) = await heard(office, events_pb2.StationClosed, 1)
    assert closed == events_pb2.StationClosed(end_date=on(in_days(-3)), **shared)


async def test_rota_by_station_delegate_and_day(office: Office) -> None:
    unit, term = await office.unit(2), await office.term()
    first, second = await office.station(unit), await office.station(unit)
    one, other = await office.delegate(term), await office.delegate(term)
    past = await office.assigned(first, one, in_days(-20), in_days(-10))
    present = await office.assigned(first, other, in_days(-10))
    elsewhere = await office.assigned(second, one, in_days(5))
    assert await rota(office) == [past, present, elsewhere]
    assert await rota(office, station=first) == [past, present]
    assert await rota(office, mandate=one) == [past, elsewhere]
    by_day = {days: await rota(office, as_of=on(in_days(days))) for days in (-21, -20, -11, -10, 5)}
    assert by_day == {-21: [], -20: [past], -11: [past], -10: [present], 5: [present, elsewhere]}


async def test_a_delegate_is_on_one_rota_once_at_a_time(office: Office) -> None:
    station, delegate = await office.station(await office.unit(2)), await office.delegate()
    await office.assigned(station, delegate, in_days(0), in_days(10))
    for start, end in ((0, 10), (9, None), (-5, 1), (-5, None), (3, 4)):
        again = office.assigned(station, delegate, in_days(start), in_days(end) if end else None)
        assert await refused(again) == "ERROR_REASON_DUTY_EXISTS"
    await office.assigned(station, delegate, in_days(10))
    await office.assigned(await office.station(await office.unit(3)), delegate, in_days(0))


async def test_of_two_at_the_same_moment_one_is_entered(office: Office) -> None:
    station, delegate = await office.station(await office.unit(2)), await office.delegate()
    attempts = [office.assigned(station, delegate) for _ in range(4)]
    entered = [each for each in await asyncio.gather(*attempts, return_exceptions=True) if isinstance(each, str)]
    assert await rota(office) == entered
    assert len(entered) == 1


async def test_rota_lies_within_station_mandate_and_term(office: Office) -> None:
    unit = await office.unit(2)
    station, delegate = await office.station(unit, start_date=on(in_days(-100))), await office.delegate()
    for start, end in ((-101, None), (700, None), (0, 701), (0, -1)):
        late = office.assigned(station, delegate, in_days(start), in_days(end) if end else None)
        assert await refused(late) == "ERROR_REASON_DUTY_DATE_REFUSED"
    older = await office.station(unit)
    assert await refused(office.assigned(older, delegate, in_days(-301))) == "ERROR_REASON_DUTY_DATE_REFUSED"
    await office.assigned(older, delegate, in_days(-300), in_days(700))
    await office.assigned(station, delegate, in_days(-100), in_days(-100))


async def test_without_an_end_it_lasts_as_long_as_the_term(office: Office) -> None:
    entry = await office.assigned(await office.station(await office.unit(2)), await office.delegate())
    by_day = {days: await rota(office, as_of=on(in_days(days))) for days in (699, 700)}
    assert by_day == {699: [entry], 700: []}


async def test_release_ends_an_entry_once(office: Office) -> None:
    station, delegate = await office.station(await office.unit(2)), await office.delegate()
    entry = await office.assigned(station, delegate, in_days(-20), in_days(20))
    for day in (in_days(-21), in_days(20)):
        assert await refused(office.release(entry, day)) == "ERROR_REASON_DUTY_DATE_REFUSED"
    assert (await office.release(entry)).end_date == on(clock.today())
    assert await refused(office.release(entry)) == "ERROR_REASON_DUTY_DATE_REFUSED"
    assert (await office.release(entry, in_days(-20))).end_date == on(in_days(-20))
    # It never came about, so the days are free again.
    await office.assigned(station, delegate, in_days(-20), in_days(20))


async def test_the_rota_ends_with_the_station(office: Office) -> None:
    unit = await office.unit(2)
    station, delegate = await office.station(unit), await office.delegate()
    past = await office.assigned(station, delegate, in_days(-20), in_days(-10))
    present, future = await office.assigned(station, delegate, in_days(-5)), in_days(3)
    elsewhere = await office.assigned(await office.station(unit), delegate, in_days(-5))
    await office.close_station(station, future)
    answer = await office.call("ListRotaEntries", pb.ListRotaEntriesRequest())
    ends = {entry.name: entry.end_date for entry in answer.rota_entries}
    assert ends == {past: on(in_days(-10)), present: on(future), elsewhere: on(in_days(700))}
    assert await refused(office.assigned(station, delegate, future)) == "ERROR_REASON_STATION_CLOSED"


async def test_the_rota_ends_with_the_mandate(office: Office) -> None:
    station, delegate = await office.station(await office.unit(2)), await office.delegate()
    present = await office.assigned(station, delegate, in_days(-5), in_days(5))
    future = await office.assigned(station, delegate, in_days(5))
    request = mandates_pb2.EndMandateRequest(name=delegate, reason=mandates_pb2.END_REASON_MOVED)
    await office.call("EndMandate", request)
    answer = await office.call("ListRotaEntries", pb.ListRotaEntriesRequest(mandate=delegate))
    ends = {entry.name: entry.end_date for entry in answer.rota_entries}
    assert ends == {present: on(clock.today()), future: on(in_days(5))}
    assert await rota(office, as_of=on(in_days(5))) == []
    changes = await heard(office, events_pb2.RotaChanged, 4)
    assert [(change.rota_entry, change.mandate, change.station) for change in changes[:2]] == [
        (present, delegate, station),
        (future, delegate, station),
    ]
    assert {change.rota_entry: change.end_date for change in changes[2:]} == ends


async def test_only_a_mandate_in_force_is_on_a_rota(office: Office) -> None:
    station, term = await office.station(await office.unit(2)), await office.term()
    for name in (await office.recommended(term), await office.vetted(term)):
        assert await refused(office.assigned(station, name)) == "ERROR_REASON_MANDATE_NOT_ACTIVE"
