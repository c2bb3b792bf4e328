"""What other services hear of a mandate's life, read from the bus as they would."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from google.protobuf import symbol_database
from nats.errors import TimeoutError as NothingMore

from chassis.bus import Bus
from quanyutong.registry.v1 import events_pb2, mandates_pb2
from quanyutong.registry.v1.rules_pb2 import ENFORCEMENT_ENFORCE
from tests.contract.office import Office, in_days, new_people, on
from tests.harness import until


async def heard(office: Office, count: int) -> Sequence[Any]:
    """The district's events so far but the audit's, in their order; waits until there are so many."""
    bus = await Bus.connect(office.tenant.platform.nats.url, "test")
    events: list[Any] = []
    try:
        heard = await bus.js.subscribe(f"qyt.{office.district}.registry.*", ordered_consumer=True)

        async def all_heard() -> bool:
            try:
                message = await heard.next_msg(timeout=0.2)
            except NothingMore:
                return len(events) == count
            kind = symbol_database.Default().GetSymbol((message.headers or {})["ce-type"])
            if kind is not events_pb2.AuditSealed:  # which comes when it comes
                events.append(kind.FromString(message.data))
            return False

        await until(all_heard)
    finally:
        await bus.close()
    return events


async def test_suspension_and_reinstatement_are_told_without_their_reasons(office: Office) -> None:
    term = await office.term()
    person = await office.eligible(term)
    name = await office.active(term, person, in_days(-30))
    await office.suspend(name, in_days(-20))
    await office.reinstate(name, in_days(-10))
    of_mandate = {"mandate": name, "person": person, "term": term}
    events = await heard(office, 5)
    assert events[3:] == [
        events_pb2.MandateSuspended(**of_mandate, suspended_from=on(in_days(-20))),
        events_pb2.MandateReinstated(**of_mandate, reinstated_from=on(in_days(-10)), suspended_from=on(in_days(-20))),
    ]


async def test_a_change_of_term_tells_of_each_mandate_and_of_the_next_term(office: Office) -> None:
    term = await office.term(await office.congress())
    names = list((await office.register(term, new_people(30), in_days(-20))).mandates)
    await office.suspend(names[0])
    end = await office.over(term)
    following = (await office.change_term(term, 2, end)).next
    await office.change_term(term, 2, end)  # tells nothing a second time
    events = await heard(office, 1 + 1 + 30 + 1 + 30 + 1)
    kinds = Counter(type(event).__name__ for event in events)
    assert kinds == {
        "AssemblyCreated": 1,
        "TermOpened": 2,
        "MandateConfirmed": 30,
        "MandateSuspended": 1,
        "MandateEnded": 30,
    }
    ended = [event for event in events if isinstance(event, events_pb2.MandateEnded)]
    assert sorted(event.mandate for event in ended) == sorted(names)
    assert {(event.term, event.reason, event.active_to.day) for event in ended} == {
        (term, mandates_pb2.END_REASON_EXPIRY, end.day)
    }
    opened = [event for event in events if isinstance(event, events_pb2.TermOpened)]
    assert opened[-1] == events_pb2.TermOpened(
        term=following.name, start_date=following.start_date, end_date=following.end_date
    )


async def test_the_registered_past_is_told_from_beginning_to_end(office: Office) -> None:
    term = (await office.open_term(await office.assembly(), start="2016-01-01", end=in_days(-1))).name
    await office.register(term, new_people(2), in_days(-500))
    kinds = [type(event).__name__ for event in await heard(office, 2 + 4)]
    assert Counter(kinds) == {"AssemblyCreated": 1, "TermOpened": 1, "MandateConfirmed": 2, "MandateEnded": 2}


async def test_an_enforced_rule_is_told_as_such(office: Office) -> None:
    await office.override(">=1/3", rule="rules/subdistrict_assembly.women_share", enforcement=ENFORCEMENT_ENFORCE)
    (changed,) = await heard(office, 1)
    assert changed.enforcement == ENFORCEMENT_ENFORCE
