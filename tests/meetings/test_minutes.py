"""Minutes: what is generated from the record, what may be edited, who signs, and what nobody changes afterwards."""

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import grpc
import pytest
from google.protobuf import json_format

from chassis import clock
from chassis.ground import owner_role, runtime_role
from quanyutong.meetings.v1 import attendance_pb2, deliberation_pb2, events_pb2
from quanyutong.meetings.v1 import minutes_pb2 as pb
from tests.contract.heard import heard
from tests.contract.office import mask
from tests.harness import facts, reason, refused, until
from tests.meetings.items import opinion, step
from tests.meetings.papers import CHAIR, CLERK, SECRETARY, export, generate, held, over, read, sign, signed, token_of
from tests.meetings.secretariat import Secretariat, in_hours

PREFIX = "ERROR_REASON_"
DRAFT, SIGNING, SIGNED = pb.MINUTES_STATE_DRAFT, pb.MINUTES_STATE_SIGNING, pb.MINUTES_STATE_SIGNED
JSON = pb.MINUTES_FORMAT_JSON


async def update(secretariat: Secretariat, name: str, *paths: str, **fields: Any) -> pb.Minutes:
    request = pb.UpdateMinutesRequest(minutes=pb.Minutes(name=name, **fields), update_mask=mask(*(paths or fields)))
    changed: pb.Minutes = await secretariat.meet("UpdateMinutes", request)
    return changed


async def give_back(secretariat: Secretariat, name: str, subject: str = "tester", role: str = "clerk") -> pb.Minutes:
    request = pb.ReturnMinutesRequest(name=name, reason="议定事项有误")
    metadata = token_of(secretariat, subject, role)
    returned: pb.Minutes = await secretariat.tenant.meetings.ReturnMinutes(request, metadata=metadata)
    return returned


@asynccontextmanager
async def acting_as(secretariat: Secretariat, role: str) -> AsyncIterator[asyncpg.Connection]:
    """With the rights that a role of the database has, in the secretariat's district."""
    connection = await asyncpg.connect(secretariat.tenant.platform.postgres.url)
    try:
        await connection.execute(f"SET ROLE {role}; SET search_path = meetings")
        await connection.execute("SELECT set_config('app.district', $1, false)", secretariat.district)
        yield connection
    finally:
        await connection.close()


async def test_minutes_are_generated_from_the_record(secretariat: Secretariat) -> None:
    meeting, roll, report = await held(secretariat)
    made = await generate(secretariat, meeting, roll[0].name)
    assert (made.name, made.state, made.digest) == (f"{meeting}/minutes", DRAFT, "")
    assert (made.chair.attendee, made.chair.display_name) == (roll[0].name, "王小明")
    there = made.record.attendance
    assert (there.expected, there.attended, there.on_leave, there.absent) == (3, 2, 1, 0)
    assert (there.needed, there.present_at_convening) == (2, 2)
    assert there.rule_version.startswith("subdistrict_assembly.quorum@")
    assert [one.attendee for one in there.attendees_on_leave] == [roll[2].name]
    (found,) = made.record.items
    assert (found.agenda_item, found.position, found.evaluation.satisfied) == (report, 1, 2)
    assert "应到3人，实到2人，请假1人" in made.summary[1]
    assert made.resolutions == ["会议对《水库移民后期扶持》进行了满意度测评，测评结果为满意。请镇政府落实。"]
    # Why somebody was on leave stands on the roll alone.
    assert "住院" not in str(made)
    assert await read(secretariat, meeting) == made


async def test_only_a_meeting_that_is_over_has_minutes(secretariat: Secretariat) -> None:
    meeting, _ = await secretariat.ready(1, 1)
    assert await refused(generate(secretariat, meeting)) == f"{PREFIX}PHASE_REFUSED"
    await secretariat.do("Convene", meeting)
    assert await refused(generate(secretariat, meeting)) == f"{PREFIX}PHASE_REFUSED"
    await secretariat.do("Adjourn", meeting)
    await secretariat.do("Close", meeting)
    assert (await generate(secretariat, meeting)).record.display_name == "第一次会议"


async def test_sections_are_edited_and_facts_are_not(secretariat: Secretariat) -> None:
    made = await generate(secretariat, await over(secretariat))
    edited = await update(secretariat, made.name, "remarks", remarks=["下次会议另行通知。"], etag=made.etag)
    assert (list(edited.edited_sections), list(edited.remarks)) == (["remarks"], ["下次会议另行通知。"])
    assert (edited.record, edited.summary) == (made.record, made.summary)
    stale = update(secretariat, made.name, "summary", summary=["另一稿"], etag=made.etag)
    assert await refused(stale) == f"{PREFIX}ETAG_MISMATCH"
    for path in ("record", "digest", "state"):
        assert await refused(update(secretariat, made.name, path)) == f"{PREFIX}FIELD_MASK_INVALID"


async def test_another_chair_is_named_where_nobody_wrote(secretariat: Secretariat) -> None:
    made = await generate(secretariat, await over(secretariat))
    chair = pb.Signer(display_name="李主任")
    changed = await update(secretariat, made.name, "chair", chair=chair)
    assert (changed.chair.display_name, changed.secretary.display_name) == ("李主任", CLERK)
    assert "由李主任主持" in changed.summary[0]
    assert not changed.edited_sections
    await update(secretariat, made.name, summary=["会议由李主任主持。"])
    again = await update(secretariat, made.name, "chair", chair=pb.Signer(display_name="赵主任"))
    assert again.summary == ["会议由李主任主持。"]


async def test_a_draft_that_was_edited_is_not_lost_by_mistake(secretariat: Secretariat) -> None:
    meeting = await over(secretariat)
    first = await generate(secretariat, meeting)
    await update(secretariat, first.name, summary=["改"], remarks=["补"])
    with pytest.raises(grpc.aio.AioRpcError) as kept:
        await generate(secretariat, meeting)
    assert (reason(kept.value), facts(kept.value)["sections"]) == (f"{PREFIX}MINUTES_EDITED", "summary, remarks")
    stale = generate(secretariat, meeting, replace_edits=True, etag=first.etag)
    assert await refused(stale) == f"{PREFIX}ETAG_MISMATCH"
    anew = await generate(secretariat, meeting, replace_edits=True)
    assert (anew.summary, list(anew.remarks), list(anew.edited_sections)) == (first.summary, [], [])


async def test_chair_and_secretary_sign_and_then_nothing_changes(secretariat: Secretariat) -> None:
    meeting, roll, _ = await held(secretariat)
    made = await generate(secretariat, meeting, roll[0].mandate)
    once = await sign(secretariat, made.name, CHAIR, roll[0].person, etag=made.etag)
    assert (once.state, once.chair.subject, once.digest) == (SIGNING, roll[0].person, "")
    for call in (update(secretariat, made.name, remarks=["迟"]), generate(secretariat, meeting)):
        assert await refused(call) == f"{PREFIX}MINUTES_STATE_REFUSED"
    final = await sign(secretariat, made.name, SECRETARY)
    assert (final.state, final.secretary.subject) == (SIGNED, "tester")
    assert final.sign_time == final.secretary.sign_time
    assert await read(secretariat, meeting) == final
    for call in (
        update(secretariat, made.name, remarks=["迟"]),
        generate(secretariat, meeting, replace_edits=True),
        sign(secretariat, made.name, CHAIR, roll[0].person),
        give_back(secretariat, made.name),
    ):
        assert await refused(call) == f"{PREFIX}MINUTES_STATE_REFUSED"
    (told,) = await heard(secretariat, events_pb2.MinutesSigned, 1)
    assert (told.meeting, told.digest) == (meeting, final.digest)


async def test_who_may_not_sign(secretariat: Secretariat) -> None:
    meeting, roll, _ = await held(secretariat)
    name = (await generate(secretariat, meeting, roll[0].name)).name
    refusal = f"{PREFIX}SIGNER_REFUSED"
    # The chair has a seat: neither the clerk nor another delegate signs instead, and no delegate as secretary.
    assert await refused(sign(secretariat, name, CHAIR)) == refusal
    assert await refused(sign(secretariat, name, CHAIR, roll[1].person)) == refusal
    assert await refused(sign(secretariat, name, SECRETARY, roll[1].person)) == refusal
    assert await refused(sign(secretariat, name, SECRETARY, "persons/nobody")) == refusal
    await sign(secretariat, name, SECRETARY)
    assert await refused(sign(secretariat, name, SECRETARY, "office")) == f"{PREFIX}SIGNED_ALREADY"


async def test_one_account_does_not_sign_for_two(secretariat: Secretariat) -> None:
    name = (await generate(secretariat, await over(secretariat))).name
    await sign(secretariat, name, CHAIR)
    assert await refused(sign(secretariat, name, SECRETARY)) == f"{PREFIX}ONE_SIGNER"
    assert (await sign(secretariat, name, SECRETARY, "office")).state == SIGNED


async def test_who_was_merged_signs_as_the_person_that_was_kept(secretariat: Secretariat) -> None:
    meeting, roll, _ = await held(secretariat)
    name = (await generate(secretariat, meeting, roll[0].name)).name
    kept = await secretariat.person("王小明")
    await secretariat.merge(kept, roll[0].person)
    await heard_of(secretariat, meeting, kept)
    assert (await sign(secretariat, name, CHAIR, roll[0].person)).chair.subject == roll[0].person


async def heard_of(secretariat: Secretariat, meeting: str, person: str) -> None:
    async def moved() -> bool:
        return person in [attendee.person for attendee in await secretariat.roll(meeting)]

    await until(moved)


async def test_two_different_persons_are_named(secretariat: Secretariat) -> None:
    meeting, roll, _ = await held(secretariat)
    chair = roll[0].name
    named = pb.Signer(attendee=chair)
    for secretary in (named, pb.Signer(display_name="王小明"), pb.Signer(), pb.Signer(attendee=roll[0].mandate)):
        same = generate(secretariat, meeting, chair, secretary=secretary)
        assert await refused(same) == f"{PREFIX}SIGNERS_REFUSED"
    nobody = f"mandates/{uuid4()}"
    assert await refused(generate(secretariat, meeting, nobody)) == f"{PREFIX}ATTENDEE_NOT_FOUND"
    elsewhere = f"meetings/{uuid4()}/attendees/{chair.rpartition('/')[2]}"
    assert await refused(generate(secretariat, meeting, elsewhere)) == f"{PREFIX}ATTENDEE_NOT_FOUND"
    # Both have a seat, and by chance the same name.
    namesakes = await generate(secretariat, meeting, chair, secretary=pb.Signer(attendee=roll[1].name))
    assert namesakes.chair.display_name == namesakes.secretary.display_name
    await sign(secretariat, namesakes.name, SECRETARY, roll[1].person)
    assert (await sign(secretariat, namesakes.name, CHAIR, roll[0].person)).state == SIGNED


async def test_a_signature_is_withdrawn_while_it_is_the_only_one(secretariat: Secretariat) -> None:
    meeting, roll, _ = await held(secretariat)
    name = (await generate(secretariat, meeting, roll[0].name)).name
    assert await refused(give_back(secretariat, name)) == f"{PREFIX}MINUTES_STATE_REFUSED"
    await sign(secretariat, name, CHAIR, roll[0].person)
    assert await refused(give_back(secretariat, name, roll[1].person, "delegate")) == f"{PREFIX}SIGNER_REFUSED"
    returned = await give_back(secretariat, name, roll[0].person, "delegate")
    assert (returned.state, returned.chair.subject, returned.return_reason) == (DRAFT, "", "议定事项有误")
    assert not returned.chair.HasField("sign_time")
    await update(secretariat, name, resolutions=["会议听取了报告。"])
    await sign(secretariat, name, CHAIR, roll[0].person)
    assert (await give_back(secretariat, name)).state == DRAFT  # a clerk may, too


async def test_the_digest_is_of_what_is_exported(secretariat: Secretariat) -> None:
    final = await signed(secretariat, (await held(secretariat))[0])
    exported = json.loads(await export(secretariat, final.name, JSON))
    parsed = json_format.ParseDict(exported, pb.Minutes())
    parsed.etag = final.etag
    assert parsed == final
    assert exported.pop("digest") == final.digest
    text = json.dumps(exported, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(text.encode()).hexdigest() == final.digest


async def test_what_happens_afterwards_is_not_in_minutes_that_are_signed(secretariat: Secretariat) -> None:
    meeting, _, report = await held(secretariat)
    collected = await opinion(secretariat, report, "加快后期扶持资金拨付")
    final = await signed(secretariat, meeting)
    assert [one.opinion for one in final.record.items[0].opinions] == [collected]
    files = [await export(secretariat, final.name, file) for file in (JSON, pb.MINUTES_FORMAT_DOCX)]
    await step(secretariat, "Hand", collected, undertaker="镇农业服务中心")
    await step(secretariat, "Answer", collected, answer="已经拨付")
    observer = attendance_pb2.AddObserverRequest(parent=meeting, display_name="区水利局 刘某")
    await secretariat.enter(meeting, (await secretariat.meet("AddObserver", observer)).name)
    await secretariat.do("Close", meeting)
    assert await read(secretariat, meeting) == final
    assert final.record.items[0].opinions[0].state == deliberation_pb2.OPINION_STATE_COLLECTED
    assert [await export(secretariat, final.name, file) for file in (JSON, pb.MINUTES_FORMAT_DOCX)] == files


async def test_the_database_refuses_to_change_what_is_signed(secretariat: Secretariat) -> None:
    meeting = await over(secretariat)
    final = await signed(secretariat, meeting)
    key = UUID(meeting.split("/")[1])
    change = "UPDATE minutes SET {} WHERE meeting = $1"
    changes = ("remarks = '{x}'", "state = 'draft'", "document = document || ' '", "digest = digest", "revision = 9")
    for role in (runtime_role("meetings"), owner_role("meetings")):
        async with acting_as(secretariat, role) as connection:
            assert await connection.fetchval("SELECT digest FROM minutes WHERE meeting = $1", key) == final.digest
            for each in changes:
                with pytest.raises(asyncpg.RestrictViolationError):
                    await connection.execute(change.format(each), key)
    async with acting_as(secretariat, runtime_role("meetings")) as connection:
        for statement in ("DELETE FROM minutes", "ALTER TABLE minutes DISABLE TRIGGER signed_minutes_stay"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    assert await read(secretariat, meeting) == final


async def test_the_database_checks_the_digest(secretariat: Secretariat) -> None:
    meeting = await over(secretariat)
    name = (await generate(secretariat, meeting)).name
    await sign(secretariat, name, CHAIR)
    forged = """UPDATE minutes SET state = 'signed', secretary_subject = 'x', secretary_signed_at = now(),
                document = '{}', digest = repeat('a', 64)"""
    async with acting_as(secretariat, runtime_role("meetings")) as connection:
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(forged)


async def test_delegates_read_the_minutes_of_their_own_meetings(secretariat: Secretariat) -> None:
    meeting, roll, _ = await held(secretariat)
    made = await generate(secretariat, meeting)
    service = secretariat.tenant.meetings
    own = token_of(secretariat, roll[2].person, "delegate")
    assert await service.GetMinutes(pb.GetMinutesRequest(name=made.name), metadata=own) == made
    assert [part async for part in service.ExportMinutes(pb.ExportMinutesRequest(name=made.name), metadata=own)]
    for subject in (f"persons/{uuid4()}", "somebody"):
        other = token_of(secretariat, subject, "delegate")
        get = service.GetMinutes(pb.GetMinutesRequest(name=made.name), metadata=other)
        export_it = anext(aiter(service.ExportMinutes(pb.ExportMinutesRequest(name=made.name), metadata=other)))
        assert [await refused(call) for call in (get, export_it)] == [f"{PREFIX}READER_REFUSED"] * 2


async def names(secretariat: Secretariat, **filters: Any) -> list[str]:
    """Those of all pages, one on each."""
    found, token = list[str](), ""
    while True:
        request = pb.ListMinutesRequest(page_size=1, page_token=token, **filters)
        page = await secretariat.meet("ListMinutes", request)
        assert all(not one.HasField("record") and not one.summary for one in page.minutes)
        found += [one.name for one in page.minutes]
        if not (token := page.next_page_token):
            return found


async def test_minutes_are_listed(secretariat: Secretariat) -> None:
    assert await names(secretariat) == []
    meetings = [await over(secretariat)]
    assembly = (await secretariat.do("Close", meetings[0])).body
    meetings.append((await secretariat.meeting(assembly, in_hours(-8))).name)
    (mandate,) = [attendee.mandate for attendee in await secretariat.called(meetings[1], 1)]
    await secretariat.enter(meetings[1], mandate)
    for verb in ("Convene", "Adjourn"):
        await secretariat.do(verb, meetings[1])
    await generate(secretariat, meetings[0])
    await signed(secretariat, meetings[1])
    both = [f"{meeting}/minutes" for meeting in meetings]
    year = clock.today().year
    assert await names(secretariat) == both
    assert await names(secretariat, body=assembly) == both
    assert await names(secretariat, state=SIGNED) == both[1:]
    assert await names(secretariat, state=DRAFT) == both[:1]
    assert await names(secretariat, year=year + 2) == []
    assert await names(secretariat, body=f"stations/{uuid4()}") == []
    first = await secretariat.meet("ListMinutes", pb.ListMinutesRequest(page_size=1))
    other = pb.ListMinutesRequest(page_token=first.next_page_token, state=SIGNED)
    assert await refused(secretariat.meet("ListMinutes", other)) == f"{PREFIX}PAGE_TOKEN_INVALID"


async def test_nothing_of_the_text_is_in_the_audit_or_in_events(secretariat: Secretariat) -> None:
    meeting = await over(secretariat)
    name = (await generate(secretariat, meeting)).name
    await update(secretariat, name, remarks=["不公开的话"])
    await sign(secretariat, name, CHAIR, "office")
    await sign(secretariat, name, SECRETARY)
    connection = await asyncpg.connect(secretariat.tenant.platform.postgres.url)
    try:
        await connection.execute("SELECT set_config('app.district', $1, false)", secretariat.district)
        kept = await connection.fetchval(
            "SELECT string_agg(t::text, ' ') FROM meetings.audit AS t WHERE district = $1 AND resource = 'minutes'",
            secretariat.district,
        )
    finally:
        await connection.close()
    assert "signed" in kept
    assert not any(text in kept for text in ("不公开的话", "陈主任", CLERK))
