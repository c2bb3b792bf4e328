"""A succession that breaks off is completed by the same request, and only by it; a third district is left alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from chassis import auth
from chassis.errors import Refusal
from chassis.vault import Vault
from quanyutong.registry.v1 import mandates_pb2
from quanyutong.registry.v1 import succession_pb2 as pb
from services.registry import districts, successions
from services.registry.handing_over import hand_over
from services.registry.successions import Successions
from tests.audit.archive import opened
from tests.contract import merged as made
from tests.contract.identities import identity_number
from tests.contract.merged import BORN, Merged, beside, suspend
from tests.contract.office import Office, in_days, on
from tests.contract.test_secrets import find
from tests.contract.test_succession import mandates
from tests.harness import reason, refused

DATE_REFUSED = "ERROR_REASON_SUCCESSION_DATE_REFUSED"


RENAME = "UPDATE registry.person SET display_name = '迟到的更名' WHERE district = $1 AND id::text = $2"


class Broken(Exception):
    """The process ends here."""


@asynccontextmanager
async def here(merged: Merged) -> AsyncIterator[Successions]:
    """The service's own code in the test's process, on the platform's database."""
    database = opened(merged.old.tenant.platform, connections=3)
    serving = Successions()
    serving._database, serving._vault = database, Vault.of(merged.old.tenant.platform.settings)
    token = auth.caller.set(auth.Caller("tester", None, frozenset(), 0.0))
    try:
        yield serving
    finally:
        auth.caller.reset(token)
        await database.close()


async def breaks_off(merged: Merged, monkeypatch: pytest.MonkeyPatch, module: Any, step: str) -> None:
    async def broken(*_: Any) -> None:
        raise Broken

    monkeypatch.setattr(module, step, broken)
    async with here(merged) as serving:
        with pytest.raises(Broken):
            await serving.SucceedDistrict(merged.request(), None)  # type: ignore[arg-type]
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("module", "step", "carried"),
    [(successions, "hand_over", 0), (successions, "close", 5), (districts, "end", 5)],
    ids=["in the successor", "before the end of the other", "before its entry"],
)
async def test_the_same_request_completes_it(
    office: Office, monkeypatch: pytest.MonkeyPatch, module: Any, step: str, carried: int
) -> None:
    merged = await made.settled(office)
    rehearsed = await merged.succeed(validate_only=True)
    await merged.stop()
    await breaks_off(merged, monkeypatch, module, step)
    there = await mandates(merged.new)
    assert len(there) == carried + 1
    outcome = await merged.succeed()
    assert (outcome.carried_over, outcome.left) == (rehearsed.carried_over, rehearsed.left)
    assert outcome.district.successor == merged.request().successor
    after = await mandates(merged.new)
    assert {was: after[was] for was in there} == there
    assert len(after) == 6


async def test_what_happened_in_the_successor_meanwhile_stays(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    merged = await made.settled(office)
    await merged.stop()
    await breaks_off(merged, monkeypatch, successions, "close")
    resigned = (await mandates(merged.new))[merged.heir("resident_mandate")]
    await merged.new.end(resigned.name)
    await merged.succeed()
    assert (await merged.new.read(resigned.name)).end_reason == mandates_pb2.END_REASON_RESIGNATION
    assert len(await mandates(merged.new)) == 6


async def test_what_is_written_late_is_not_lost(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call was under way when the district was suspended: nothing is carried over without it."""
    merged = await made.settled(office)
    await merged.stop()

    async def writing_meanwhile(*arguments: Any) -> Any:
        outcome = await hand_over(*arguments)
        connection = await asyncpg.connect(office.tenant.platform.postgres.url)
        await connection.execute("SELECT set_config('app.district', $1, false)", merged.old.district)
        await connection.execute(RENAME, merged.old.district, merged.names["resident"].removeprefix("persons/"))
        await connection.close()
        return outcome

    monkeypatch.setattr(successions, "hand_over", writing_meanwhile)
    async with here(merged) as serving:
        with pytest.raises(Refusal, match="CONCURRENT_CHANGE"):
            await serving.SucceedDistrict(merged.request(), None)  # type: ignore[arg-type]
    assert set(await mandates(merged.new)) == {""}
    await merged.succeed()
    assert (await find(merged.new, merged.numbers["resident"])).display_name == "迟到的更名"


async def test_another_request_does_not_complete_it(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    merged = await made.settled(office)
    await merged.stop()
    await breaks_off(merged, monkeypatch, successions, "close")
    for changes in ({"decision": "另一决定"}, {"effective_date": on(in_days(-1))}):
        assert await refused(merged.succeed(**changes)) == "ERROR_REASON_SUCCESSION_DIFFERS"
    turned = merged.request(units=list(reversed(merged.request().units)))
    assert (await merged.old.operate("SucceedDistrict", turned)).district.successor


async def test_a_request_id_has_the_effect_of_one(office: Office) -> None:
    merged = await made.two(office)
    await merged.stop()
    request_id = str(uuid4())
    first = await merged.succeed(request_id=request_id)
    assert await merged.succeed(request_id=request_id) == first
    other = merged.succeed(request_id=request_id, decision="另一决定")
    assert await refused(other) == "ERROR_REASON_REQUEST_ID_REUSED"


async def test_two_at_the_same_moment_are_one_after_the_other(office: Office) -> None:
    """Each of the other: the second one finds a successor that is suspended. And the same one twice."""
    merged = await made.two(office)
    await merged.stop()
    turned = Merged(merged.new, merged.old)
    outcomes = await asyncio.gather(
        merged.succeed(), merged.succeed(), turned.succeed(units=[], validate_only=True), return_exceptions=True
    )
    assert outcomes[0] == outcomes[1]
    assert isinstance(outcomes[2], grpc.aio.AioRpcError)
    assert reason(outcomes[2]) == "ERROR_REASON_SUCCESSOR_REFUSED"


async def test_a_third_district_is_left_alone(office: Office) -> None:
    third = await beside(office)
    delegate = await third.active(await third.term(), day=in_days(-100))
    await third.person(identity_number=identity_number(), phone="13800138000")
    before = await rows_of(third)
    merged = await made.settled(office)
    await merged.stop()
    await merged.succeed()
    assert await rows_of(third) == before
    assert (await third.read(delegate)).state == mandates_pb2.MANDATE_STATE_ACTIVE


async def rows_of(office: Office) -> list[Any]:
    """All rows of a district, whatever table they are in, as PostgreSQL has them."""
    connection = await asyncpg.connect(office.tenant.platform.postgres.url)
    try:
        tables = await connection.fetch(
            "SELECT DISTINCT table_name FROM information_schema.columns JOIN information_schema.tables "
            "USING (table_schema, table_name) WHERE table_schema = 'registry' AND column_name = 'district' "
            "AND table_type = 'BASE TABLE' AND table_name NOT IN ('audit_seal', 'outbox') ORDER BY 1"
        )
        return [
            await connection.fetch(
                f"SELECT * FROM registry.{name} t WHERE district = $1 ORDER BY to_jsonb(t)::text",
                office.district,
            )
            for (name,) in tables
        ]
    finally:
        await connection.close()


async def test_each_wrong_code_is_named(office: Office) -> None:
    merged = await made.two(office)
    await merged.new.unit(150)
    pairs = [
        (merged.code(1), f"units/{office.district}150"),
        (merged.code(1), "units/500102001"),
        (merged.code(9), f"units/{office.district}109"),
    ]
    codes = [pb.UnitSuccession(predecessor=a, successor=b) for a, b in pairs]
    request = merged.request(units=codes, validate_only=True)
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await merged.old.operate("SucceedDistrict", request)
    assert reason(refusal.value) == "ERROR_REASON_SUCCESSION_UNITS_REFUSED"
    found = {(each.field, each.reason) for each in violations(refusal.value)}
    assert found == {
        ("units[0].successor", "UNIT_EXISTS"),
        ("units[0].predecessor", "CODE_TWICE"),
        ("units[1].predecessor", "CODE_TWICE"),
        ("units[1].successor", "UNIT_OF_OTHER_DISTRICT"),
        ("units[2].predecessor", "UNIT_NOT_FOUND"),
        ("units", "CODE_MISSING"),
    }


def violations(refusal: grpc.aio.AioRpcError) -> list[error_details_pb2.BadRequest.FieldViolation]:
    content = dict(refusal.trailing_metadata() or ())["grpc-status-details-bin"]
    bad = error_details_pb2.BadRequest()
    for detail in status_pb2.Status.FromString(content).details:
        detail.Unpack(bad)
    return list(bad.field_violations)


async def test_what_the_districts_have_entered_bounds_the_day(office: Office) -> None:
    """A delegate who was confirmed on a day was one there on that day."""
    merged = await made.settled(office)
    assert await refused(merged.succeed(validate_only=True, effective_date=on(in_days(-11)))) == DATE_REFUSED
    rehearsed = await merged.succeed(validate_only=True, effective_date=on(in_days(-10)))
    assert rehearsed.carried_over.mandates == 5
    await merged.stop()
    assert await refused(merged.succeed(effective_date=on(in_days(1)))) == DATE_REFUSED
    assert (await merged.succeed(effective_date=on(in_days(-10)))).district.valid_to == on(in_days(-10))


async def test_two_districts_one_after_the_other_become_one(office: Office) -> None:
    """The second one brings its own key; numbers of all three are found."""
    first = await made.settled(office)
    await first.stop()
    await first.succeed()
    second = Merged(await beside(office), office)
    await second.old.unit(1)
    assembly = await second.old.assembly(second.code(1))
    number = identity_number(BORN)
    facts: dict[str, Any] = {"residence": second.code(1), "residence_since": on("2001-01-01")}
    term = await second.old.term(assembly)
    seat = await second.old.active(term, await second.old.person("又一代表", identity_number=number, **facts))
    await suspend(second.old)
    target = f"units/{office.district}201"
    await second.succeed(units=[pb.UnitSuccession(predecessor=second.code(1), successor=target)])
    there = await mandates(office)
    assert there[f"districts/{second.old.district}/{seat}"].state == mandates_pb2.MANDATE_STATE_ACTIVE
    for one in (number, first.numbers["resident"], first.numbers["both"]):
        assert await find(office, one)
    other = beside(office)
    ended = await refused(Merged(await other, first.old).succeed(units=[], validate_only=True))
    assert ended == "ERROR_REASON_SUCCESSOR_REFUSED"
