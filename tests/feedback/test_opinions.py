"""Opinions are taken by every door, found again, and nobody reads how an asker can be reached but on record."""

import os
from uuid import uuid4

import asyncpg
import pytest
from pydantic import SecretStr

from chassis import clock, development, tenancy
from chassis.database import Database
from chassis.migrations import runtime_url
from chassis.vault import Vault, key_id
from quanyutong.feedback.v1 import intakes_pb2 as intakes
from quanyutong.feedback.v1 import opinions_pb2 as pb
from services.feedback.contacts import reseal
from services.feedback.handling_steps import load_opinion
from tests.contract.office import STATION, in_days, on
from tests.feedback.hearing import DELEGATE, ONLINE, RECEPTION, Hearing
from tests.harness import refused

PHONE = "13912345678"
TEXTS = {
    "emoji": "路灯坏了😡🔦，请修！👨‍👩‍👧",
    "right to left": "مصابيح الشارع لا تعمل \u202eאבג",
    "SQL": "'); DROP TABLE opinion; --",
    "HTML": "<script>alert('灯')</script>&nbsp;",
    "lines": "第一行\n第二行",
    "the longest": "灯" * 5000,
}


async def test_what_was_entered_is_read_back(hearing: Hearing) -> None:
    unit = await hearing.unit()
    station = await hearing.station(unit, STATION)
    attachment = pb.OpinionAttachment(title="照片", media_type="image/jpeg", size_bytes=1000, sha256="a" * 64)
    entered = await hearing.opinion(channel=RECEPTION, station=station, place="三号路口", attachments=[attachment])
    assert len(entered.receipt) == 16
    shown = await hearing.shown(entered.name)
    assert (shown.unit, shown.station, shown.place, list(shown.attachments)) == (
        unit,
        station,
        "三号路口",
        [attachment],
    )
    assert (shown.state, shown.receipt, shown.contact_given) == (pb.OPINION_STATE_RECEIVED, "", False)
    assert list(shown.rule_versions) == ["stations_and_voice.opinion_acknowledged@2015-01-01"]


@pytest.mark.parametrize("text", TEXTS)
async def test_a_text_is_stored_unharmed(hearing: Hearing, text: str) -> None:
    entered = await hearing.opinion(TEXTS[text])
    assert (await hearing.shown(entered.name)).content == TEXTS[text]


@pytest.mark.parametrize("text", ["", " \n", "灯\x00", "灯\x1b[31m", "灯" * 5001, "x" * 100_000])
async def test_what_is_no_text_is_refused(hearing: Hearing, text: str) -> None:
    request = pb.CreateOpinionRequest(opinion=hearing.said(text))
    assert await refused(hearing.hear("CreateOpinion", request)) == "ERROR_REASON_FIELD_INVALID"


async def test_a_repeated_request_has_the_receipt_again(hearing: Hearing) -> None:
    request = pb.CreateOpinionRequest(opinion=hearing.said(), request_id=str(uuid4()))
    first = await hearing.hear("CreateOpinion", request)
    assert await hearing.hear("CreateOpinion", request) == first
    assert await hearing.listed() == [first.name]


async def test_lists_are_filtered(hearing: Hearing) -> None:
    unit = await hearing.unit()
    first = (await hearing.opinion(unit=unit)).name
    second = (await hearing.opinion(category=pb.OPINION_CATEGORY_HEALTH)).name
    assert await hearing.listed() == [first, second]
    assert await hearing.listed(unit=unit) == [first]
    assert await hearing.listed(category=pb.OPINION_CATEGORY_HEALTH) == [second]
    assert await hearing.listed(channel=ONLINE, state=pb.OPINION_STATE_RECEIVED) == [first, second]
    assert await hearing.listed(state=pb.OPINION_STATE_CLOSED) == []
    assert await hearing.listed(overdue=True) == []
    assert await hearing.listed(undertaker="区交通局") == []


async def test_what_was_said_in_a_period_and_what_comes_due_are_found(hearing: Hearing) -> None:
    today, tomorrow = clock.today(), in_days(1)
    before = (await hearing.opinion(receive_date=on(in_days(-40)))).name
    name = (await hearing.opinion()).name
    assert await hearing.listed(to_date=on(today)) == [before]
    assert await hearing.listed(from_date=on(today), to_date=on(tomorrow)) == [name]
    assert await hearing.listed(due_by=on(today)) == []
    assert await hearing.listed(due_by=on(in_days(2))) == [before, name]
    due = (await hearing.handle("Acknowledge", name)).due_date
    assert await hearing.listed(due_by=due, state=pb.OPINION_STATE_ACKNOWLEDGED) == [name]
    assert await hearing.listed(due_by=on(in_days(2)), state=pb.OPINION_STATE_ACKNOWLEDGED) == []


async def test_receptions_of_a_unit_and_a_period_are_found(hearing: Hearing) -> None:
    unit, mandate = await hearing.unit(2), await hearing.delegate()
    station = await hearing.station(unit, STATION)
    held = intakes.Reception(station=station, day=on(in_days(-3)), mandates=[mandate], people_received=12)
    name = (await hearing.insist("CreateReception", intakes.CreateReceptionRequest(reception=held))).name
    for filters, found in (
        ({"unit": unit}, [name]),
        ({"unit": f"units/{hearing.district}099"}, []),
        ({"from_date": on(in_days(-3)), "to_date": on(in_days(-2))}, [name]),
        ({"to_date": on(in_days(-3))}, []),
    ):
        listed = await hearing.hear("ListReceptions", intakes.ListReceptionsRequest(**filters))
        assert [each.name for each in listed.receptions] == found


def in_person(hearing: Hearing, person: str) -> list[tuple[str, str]]:
    token = development.token(hearing.tenant.platform.settings, person, ["delegate"], hearing.district)
    return [("authorization", f"Bearer {token}")]


async def test_a_delegate_enters_for_the_own_mandate_alone(hearing: Hearing) -> None:
    term = await hearing.term()
    person = await hearing.eligible(term)
    mandate = await hearing.active(term, person)
    other = await hearing.active(term)
    token, create = in_person(hearing, person), hearing.tenant.feedback.CreateOpinion
    # Heard of, by the office's own entries.
    await hearing.opinion(channel=DELEGATE, mandate=other)
    await hearing.opinion(channel=DELEGATE, mandate=mandate)
    said = hearing.said(channel=DELEGATE, mandate=mandate)
    assert (await create(pb.CreateOpinionRequest(opinion=said), metadata=token)).mandate == mandate
    for given in (other, ""):
        request = pb.CreateOpinionRequest(opinion=hearing.said(channel=ONLINE, mandate=given))
        assert await refused(create(request, metadata=token)) == "ERROR_REASON_MANDATE_NOT_YOURS"


async def test_a_contact_is_read_on_record_and_kept_nowhere_in_the_clear(hearing: Hearing) -> None:
    entered = await hearing.opinion(contact=pb.Contact(display_name="李四", phone=PHONE))
    assert entered.contact_given
    assert not entered.HasField("contact")
    request = pb.RevealContactRequest(name=entered.name, purpose="回访", request_id=str(uuid4()))
    shown = await hearing.hear("RevealContact", request)
    assert (shown.contact.display_name, shown.contact.phone) == ("李四", PHONE)
    assert await hearing.hear("RevealContact", request) == shown
    for role in ("delegate", "examiner", "administrator", "viewer"):
        assert await refused(hearing.hear("RevealContact", request, role)) == "ERROR_REASON_ROLE_MISSING"
    connection = await asyncpg.connect(hearing.tenant.platform.postgres.url)
    try:
        for table in ("opinion", "opinion_step", "audit", "idempotency", "outbox"):
            found = await connection.fetch(
                f"SELECT t::text AS row FROM feedback.{table} t WHERE district = $1", hearing.district
            )
            kept = [each["row"] for each in found]
            assert not [row for row in kept if PHONE in row or PHONE.encode().hex() in row], table
        notes = await connection.fetch(
            "SELECT t::text AS row FROM feedback.audit t WHERE district = $1", hearing.district
        )
        assert len([each for each in notes if "reveal: 回访" in each["row"]]) == 1
    finally:
        await connection.close()


async def test_a_contact_outlives_the_master_key_that_sealed_it(hearing: Hearing) -> None:
    entered = await hearing.opinion(contact=pb.Contact(phone=PHONE))
    platform = hearing.tenant.platform
    current = Vault.of(platform.settings)
    newer = os.urandom(32)
    both = Vault([newer, development.master_key(platform.settings)])
    settings = platform.settings.model_copy(update={"database_url": SecretStr(platform.postgres.url)})
    database = Database(runtime_url(settings, "feedback"), "feedback", 1, 30)
    request = pb.RevealContactRequest(name=entered.name, purpose="回访")
    try:
        with tenancy.acting_for(hearing.district):
            await reseal(database, both)
            async with database.read() as tx:
                row = await load_opinion(tx, entered.name)
                assert Vault([newer]).unwrap(f"feedback contact {row.id}", tx.district, row.contact)
            await reseal(database, Vault([development.master_key(platform.settings), newer]))
    finally:
        await database.close()
    assert current.current == key_id(development.master_key(platform.settings))
    assert (await hearing.hear("RevealContact", request)).contact.phone == PHONE
