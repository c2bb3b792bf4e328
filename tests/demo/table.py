"""The table of the city, from what the services count, and the published figures beside it."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from quanyutong.meetings.v1.agenda_pb2 import (
    ITEM_CLASS_BUDGET,
    ITEM_CLASS_PROJECT_PROGRESS,
    ITEM_CLASS_PROPOSAL_HANDLING,
)
from quanyutong.meetings.v1.meeting_pb2 import MEETING_KIND_ASSEMBLY
from quanyutong.registry.v1.assemblies_pb2 import (
    ASSEMBLY_KIND_DISTRICT_CONGRESS,
    ASSEMBLY_KIND_SUBDISTRICT_ASSEMBLY,
    AssemblyKind,
)
from quanyutong.registry.v1.mandates_pb2 import (
    CAPACITY_CPPCC_MEMBER,
    CAPACITY_DEPUTY,
    CAPACITY_FRONT_LINE_WORKER,
    CAPACITY_PARTY_DELEGATE,
    CAPACITY_RESIDENT,
    Capacity,
)
from quanyutong.registry.v1.stations_pb2 import (
    STATION_KIND_HOUSE,
    STATION_KIND_LIAISON_POINT,
    STATION_KIND_STATION,
)
from quanyutong.registry.v1.summary_pb2 import AssemblyCount, Summary
from tests.demo import published
from tests.demo.baitao import Found
from tests.demo.heard import Heard
from tests.demo.held import AUGUST, MAY, NOVEMBER, CityYear, Held, Reports
from tests.demo.voted import Voted
from tests.demo.year import Year

HEADINGS = ("code", "district", "congress", "assemblies", "representatives", "women", "community workers", "residents")
WIDTHS = (6, 26, 8, 10, 15, 6, 17, 9)


@dataclass
class Counts:
    """What stands in a line."""

    congresses: int = 0
    assemblies: int = 0
    representatives: int = 0
    women: int = 0
    community_workers: int = 0
    residents: int = 0
    districts_with_assemblies: int = 0


def counted(summaries: Iterable[Summary]) -> Counts:
    """The sum over districts of what the services counted in each."""
    total = Counts()
    for summary in summaries:
        total.congresses += _of(summary, ASSEMBLY_KIND_DISTRICT_CONGRESS).assemblies
        found = _of(summary, ASSEMBLY_KIND_SUBDISTRICT_ASSEMBLY)
        total.assemblies += found.assemblies
        total.representatives += found.delegates
        total.women += found.women
        total.community_workers += found.community_workers
        total.residents += sum(c.delegates for c in found.capacities if c.capacity == CAPACITY_RESIDENT)
        total.districts_with_assemblies += found.assemblies > 0
    return total


def _of(summary: Summary, kind: "AssemblyKind.ValueType") -> AssemblyCount:
    return next((count for count in summary.assemblies if count.kind == kind), AssemblyCount())


def city(names: Mapping[str, str], summaries: Mapping[str, Summary]) -> Iterator[str]:
    """One line a district, and one for the city."""
    yield _line(HEADINGS)
    for code in sorted(summaries):
        yield _line((code, names[code], *_cells(counted([summaries[code]]))))
    total = counted(summaries.values())
    yield _line(("city", f"{len(summaries)} ({total.districts_with_assemblies} with assemblies)", *_cells(total)))


def _cells(counts: Counts) -> Sequence[str]:
    whole = counts.representatives
    shares = (counts.women, counts.community_workers, counts.residents)
    return (
        str(counts.congresses),
        str(counts.assemblies),
        f"{whole:,}",
        *(f"{part / whole:.1%}" if whole else "-" for part in shares),
    )


def _line(cells: Sequence[str]) -> str:
    code, name, *numbers = cells
    texts = [code.ljust(WIDTHS[0]), _padded(name, WIDTHS[1])]
    texts += [text.rjust(width) for text, width in zip(numbers, WIDTHS[2:], strict=True)]
    return "  ".join(texts).rstrip()


def _padded(text: str, width: int) -> str:
    """Chinese characters take two columns of a terminal."""
    taken = sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
    return text + " " * (width - taken)


@dataclass(frozen=True)
class Compared:
    """One figure, as it is published and as it is counted."""

    name: str
    published: int
    counted: int

    @property
    def equal(self) -> bool:
        return self.published == self.counted

    def __str__(self) -> str:
        verdict = "equal" if self.equal else "NOT EQUAL"
        return f"{self.name:<60}{self.published:>10,}{self.counted:>10,}  {verdict}"


def compared(
    summaries: Mapping[str, Summary], baitao: Sequence["Capacity.ValueType"], holding_two: int
) -> list[Compared]:
    """Every published figure. `baitao` is as what each representative sits there."""
    total = counted(summaries.values())
    residents = baitao.count(CAPACITY_RESIDENT) + baitao.count(CAPACITY_FRONT_LINE_WORKER)
    return [
        Compared("districts, each with its congress", published.DISTRICTS, total.congresses),
        Compared("subdistricts with an assembly", published.ASSEMBLIES, total.assemblies),
        Compared("districts that have one", published.DISTRICTS_WITH_ASSEMBLIES, total.districts_with_assemblies),
        Compared("representatives", published.REPRESENTATIVES, total.representatives),
        Compared("Baitao (白涛): representatives", published.BAITAO_REPRESENTATIVES, len(baitao)),
        Compared("Baitao: district deputies", published.BAITAO_DEPUTIES, baitao.count(CAPACITY_DEPUTY)),
        Compared("Baitao: of these, holding a mandate in the congress too", published.BAITAO_DEPUTIES, holding_two),
        Compared("Baitao: party delegates", published.BAITAO_PARTY_DELEGATES, baitao.count(CAPACITY_PARTY_DELEGATE)),
        Compared("Baitao: CPPCC members", published.BAITAO_CPPCC_MEMBERS, baitao.count(CAPACITY_CPPCC_MEMBER)),
        Compared("Baitao: residents and workers", published.BAITAO_RESIDENTS_AND_WORKERS, residents),
    ]


def of_baitao(found: Found) -> list[Compared]:
    """The published figures of Baitao's stations and groups, and who attends its assembly."""
    stations = found.stations
    return [
        Compared("Baitao: houses of delegates", published.BAITAO_HOUSES, stations[STATION_KIND_HOUSE]),
        Compared("Baitao: stations of delegates", published.BAITAO_STATIONS, stations[STATION_KIND_STATION]),
        Compared("Baitao: liaison points", published.BAITAO_LIAISON_POINTS, stations[STATION_KIND_LIAISON_POINT]),
        Compared("Baitao: oversight groups", published.BAITAO_OVERSIGHT_GROUPS, len(found.groups)),
        Compared("Baitao: of these, with members and a leader", published.BAITAO_OVERSIGHT_GROUPS, found.led),
        Compared("Baitao: attend the assembly, each once", published.BAITAO_REPRESENTATIVES, len(found.attendees)),
        Compared("Baitao: of these, by right as deputies", published.BAITAO_DEPUTIES, found.by_right),
    ]


def of_the_year(counted: Year) -> list[Compared]:
    """The published figures of what Baitao's delegates did in 2023."""
    return [
        Compared(
            "Baitao in 2023: inspection and check, person-times",
            published.BAITAO_INSPECTIONS_AND_CHECKS,
            counted.inspection_and_check,
        ),
        Compared(
            "Baitao in 2023: policy outreach, person-times", published.BAITAO_POLICY_OUTREACH, counted.policy_outreach
        ),
        Compared("Baitao in 2023: people received", published.BAITAO_PEOPLE_RECEIVED, counted.people_received),
    ]


def of_what_was_heard(heard: Heard) -> list[Compared]:
    """The published figures of Baitao's opinions and proposals."""
    received = heard.people_received
    return [
        Compared("Baitao in 2023: people received, by receptions", published.BAITAO_PEOPLE_RECEIVED, received),
        Compared("Baitao in 2023: opinions collected", published.BAITAO_OPINIONS, len(heard.opinions)),
        Compared("Baitao: of these, done", published.BAITAO_OPINIONS_DONE, heard.done),
        Compared("Baitao: of these, in progress", published.BAITAO_OPINIONS_IN_PROGRESS, heard.in_progress),
        Compared("Baitao: of these, deferred with a reason", published.BAITAO_OPINIONS_DEFERRED, heard.deferred),
        Compared("Baitao in 2023: proposals to the assembly", published.BAITAO_PROPOSALS, len(heard.proposals)),
    ]


def of_acts_told(heard: Heard) -> list[Compared]:
    """What the feedback service holds, and what the registry counted as acts of duty when it heard of it."""
    year = heard.counted
    return [
        Compared("Baitao in 2023: receptions, person-times", heard.receiving, year.receiving),
        Compared("Baitao in 2023: people received", heard.people_received, year.people_received),
        Compared("Baitao in 2023: opinions raised by delegates", heard.raised, year.opinions_raised),
        Compared("Baitao in 2023: proposals, signatures", heard.signatures, year.proposals_signed),
    ]


def of_meetings(year: CityYear) -> list[Compared]:
    """The published figures of the meetings that were held in the city."""
    return [
        Compared("assembly meetings held", published.ASSEMBLY_MEETINGS, year.assembly_meetings),
        Compared(
            "districts with a mid-year meeting", published.DISTRICTS_WITH_MIDYEAR_MEETINGS, year.midyear_districts
        ),
        Compared(
            "towns and townships with quarterly meetings",
            published.TOWNS_WITH_QUARTERLY_MEETINGS,
            year.quarterly_towns,
        ),
        Compared("districts that these are in", published.DISTRICTS_WITH_QUARTERLY_MEETINGS, year.quarterly_districts),
    ]


def of_baitaos_meetings(held: Sequence[Held]) -> list[Compared]:
    own = [each for each in held if each.over and each.meeting.kind == MEETING_KIND_ASSEMBLY]
    return [
        Compared("Baitao: assembly meetings held", published.BAITAO_MEETINGS, len(own)),
        Compared("Baitao: of these, with a quorum", published.BAITAO_MEETINGS, sum(each.with_quorum for each in own)),
    ]


def of_wujia(held: Sequence[Held]) -> list[Compared]:
    """The published figures of Wujia's quarterly meetings."""
    year = Reports(held)
    with_quorum = sum(each.with_quorum for each in year.held)
    return [
        Compared("Wujia (吴家): quarterly meetings", published.WUJIA_MEETINGS, len(year.held)),
        Compared("Wujia: of these, with a quorum", published.WUJIA_MEETINGS, with_quorum),
        Compared("Wujia in May: special reports evaluated", published.WUJIA_MAY_EVALUATED, year.evaluated(MAY)),
        Compared("Wujia in August: reports heard", published.WUJIA_AUGUST_REPORTS, year.heard(AUGUST)),
        Compared("Wujia in August: of these, evaluated", published.WUJIA_AUGUST_EVALUATED, year.evaluated(AUGUST)),
        Compared("Wujia in August: opinions raised", published.WUJIA_AUGUST_OPINIONS, year.opinions(AUGUST)),
        Compared(
            "Wujia in November: final accounts approved",
            published.WUJIA_NOVEMBER_APPROVED,
            year.approved(NOVEMBER, ITEM_CLASS_BUDGET),
        ),
        Compared(
            "Wujia in November: progress of projects",
            published.WUJIA_NOVEMBER_PROGRESS,
            year.heard(NOVEMBER, ITEM_CLASS_PROJECT_PROGRESS),
        ),
        Compared(
            "Wujia in November: handling of proposals",
            published.WUJIA_NOVEMBER_PROPOSALS,
            year.heard(NOVEMBER, ITEM_CLASS_PROPOSAL_HANDLING),
        ),
        Compared("Wujia in November: offices evaluated", published.WUJIA_NOVEMBER_EVALUATED, year.evaluated(NOVEMBER)),
        Compared("Wujia in 2023: special reports heard", published.WUJIA_REPORTS, year.heard()),
        Compared("Wujia in 2023: works evaluated", published.WUJIA_WORKS_EVALUATED, year.works_evaluated()),
        Compared("Wujia in 2023: offices evaluated", published.WUJIA_OFFICES_EVALUATED, year.offices_evaluated()),
    ]


def of_projects(voted: Voted, towns: int) -> list[Compared]:
    """The published figures of votes on livelihood projects. `towns` are those of the city."""
    share = round(1000 * voted.towns / towns) if towns else 0
    return [
        Compared("districts voting on livelihood projects", published.DISTRICTS_VOTING, voted.districts),
        Compared("of these, by secret electronic ballot", published.DISTRICTS_VOTING, voted.secret_in_districts),
        Compared("projects voted by districts", published.DISTRICT_PROJECTS, voted.district_projects),
        Compared("towns and townships", published.TOWNS, towns),
        Compared("of these, voting on livelihood projects", published.TOWNS_VOTING, voted.towns),
        Compared("of these, per thousand (84.7 %)", published.TOWNS_VOTING_PER_MILLE, share),
        Compared("projects voted by towns and townships", published.TOWN_PROJECTS, voted.town_projects),
        Compared("Baitao: projects voted", published.BAITAO_PROJECTS, voted.in_unit(published.BAITAO)),
        Compared("Wujia: projects voted", published.WUJIA_PROJECTS, voted.in_unit(published.WUJIA)),
    ]
