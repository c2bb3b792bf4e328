"""Two districts that become one: what stands in each before, and the request by which it is done."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any

from chassis import clock
from quanyutong.registry.v1 import districts_pb2, units_pb2
from quanyutong.registry.v1 import succession_pb2 as pb
from tests.contract.identities import identity_number
from tests.contract.office import DEPUTY, RESIDENT, STATION, TOWN, TOWNSHIP_CONGRESS, Office, in_days, on
from tests.harness import refused, until

BORN = date(1980, 6, 1)
PHONES = ("+8613800130001", "+8613800130002", "+8613800130003")


@dataclass
class Merged:
    """The district that ends, and the one that takes over; `names` are of the first one's resources."""

    old: Office
    new: Office
    names: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)

    def request(self, **changes: Any) -> pb.SucceedDistrictRequest:
        given: dict[str, Any] = {
            "name": f"districts/{self.old.district}",
            "successor": f"districts/{self.new.district}",
            "effective_date": on(clock.today()),
            "units": [pb.UnitSuccession(predecessor=self.code(n), successor=self.code(n, self.new)) for n in (1, 2)],
            "decision": "渝府〔2026〕1号",
        }
        return pb.SucceedDistrictRequest(**given | changes)

    def code(self, number: int, of: Office | None = None) -> str:
        """The units keep their last three digits, plus a hundred."""
        return f"units/{of.district}{100 + number:03}" if of else f"units/{self.old.district}{number:03}"

    async def succeed(self, **changes: Any) -> pb.SucceedDistrictResponse:
        outcome: pb.SucceedDistrictResponse = await self.old.operate("SucceedDistrict", self.request(**changes))
        return outcome

    async def stop(self) -> None:
        """Suspends the district that is to end."""
        await suspend(self.old)

    def heir(self, name: str) -> str:
        return f"districts/{self.old.district}/{self.names[name]}"


async def suspend(office: Office) -> None:
    request = districts_pb2.SuspendDistrictRequest(name=f"districts/{office.district}", reason="区划调整")
    await office.operate("SuspendDistrict", request)

    async def heard() -> bool:
        try:
            call = office.call("ListUnits", units_pb2.ListUnitsRequest())
            return await refused(call) == "ERROR_REASON_DISTRICT_SUSPENDED"
        except AssertionError:
            return False

    await until(heard)


async def beside(office: Office) -> Office:
    """The office of another fresh district, through the same door."""
    tenant = office.tenant
    return Office(replace(tenant, district=await tenant.platform.fresh_district()))


async def two(office: Office) -> Merged:
    """Without anything in them but two units in the one, and a congress in the other."""
    merged = Merged(await beside(office), office)
    await merged.old.unit(1)
    await merged.old.unit(2, TOWN)
    return merged


async def settled(office: Office) -> Merged:
    """With people of all sorts in the one, and a congress in the other where one of them sits already."""
    merged = await two(office)
    old, new, names = merged.old, merged.new, merged.names
    merged.numbers = {who: identity_number(BORN) for who in ("resident", "deputy", "both", "joined")}
    assembly = await old.assembly(merged.code(1))
    congress, town = await old.congress(), await old.assembly(merged.code(2), TOWNSHIP_CONGRESS)
    names |= {"assembly": assembly, "term": await old.term(assembly), "town_term": await old.term(town)}
    names["congress_term"] = await old.term(congress)
    await _people(merged)
    await _seats(merged)
    await _posts(merged)
    names["new_term"] = (await new.open_term(await new.congress(), 7, in_days(-500), in_days(500))).name
    for who, seated in (("both", True), ("joined", False)):
        names[f"{who}_there"] = await new.eligible(
            names["new_term"], **_facts(merged, who), residence="", phone=PHONES[2] if seated else ""
        )
    await new.active(names["new_term"], names["both_there"], in_days(-100))
    return merged


def _facts(merged: Merged, who: str) -> Mapping[str, Any]:
    return {"display_name": f"代表{who}", "identity_number": merged.numbers[who]}


async def _people(merged: Merged) -> None:
    old, names = merged.old, merged.names
    lived: dict[str, Any] = {"residence": merged.code(1), "residence_since": on("2001-01-01")}
    names["resident"] = await old.person(**_facts(merged, "resident"), phone=PHONES[0], **lived)
    names["deputy"] = await old.person(**_facts(merged, "deputy"), **lived, workplace=merged.code(2))
    names["both"] = await old.person(**_facts(merged, "both"), **lived)
    names["joined"] = await old.person(**_facts(merged, "joined"), phone=PHONES[1], **lived)
    names["suspended_person"] = await old.eligible(names["term"], "被暂停者")
    names["contacted"] = await old.person("被联系者", residence=merged.code(2))
    names["nobody"] = await old.person("与会议无关者")


async def _seats(merged: Merged) -> None:
    old, names = merged.old, merged.names
    seat = partial(_seat, old)
    names["resident_mandate"] = await seat(names["term"], names["resident"], RESIDENT)
    names["suspended_mandate"] = await seat(names["term"], names["suspended_person"], RESIDENT)
    await old.suspend(names["suspended_mandate"], in_days(-20))
    names["town_mandate"] = await seat(names["town_term"], names["deputy"], DEPUTY)
    for who in ("deputy", "both", "joined"):
        names[f"{who}_mandate"] = await seat(names["congress_term"], names[who], DEPUTY)
    names["ended_mandate"] = await seat(names["term"], await old.eligible(names["term"], "已辞职者"), RESIDENT)
    await old.end(names["ended_mandate"], in_days(-10))
    names["pending"] = await old.recommended(names["term"], await old.eligible(names["term"], "待审核者"))


async def _seat(office: Office, term: str, person: str, capacity: Any) -> str:
    name = await office.vetted(term, person, capacity)
    await office.confirm(name, in_days(-300))
    return name


async def _posts(merged: Merged) -> None:
    old, names, delegate = merged.old, merged.names, merged.names["resident_mandate"]
    names["house"] = await old.station(merged.code(1))
    names["station"] = await old.station(merged.code(2), STATION, belongs_to=names["house"])
    names["rota"] = await old.assigned(names["station"], delegate, in_days(-30), in_days(30))
    names["past_rota"] = await old.assigned(names["house"], delegate, in_days(-30), in_days(-20))
    names["contact"] = await old.contact(delegate, person=names["contacted"], start_date=on(in_days(-30)))
    names["group"] = await old.oversight_group(names["term"])
    await old.join(names["group"], delegate, in_days(-30))
    await old.lead(names["group"], delegate, in_days(-29))
