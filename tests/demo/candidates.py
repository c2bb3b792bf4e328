"""What is up for the vote: the projects that residents suggested, as they were screened. All of it is made up."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

# What is suggested, and the department that would do it.
WORKS = (
    ("农村公路安防提升", "交通部门"),
    ("社区养老服务站建设", "民政部门"),
    ("老旧小区加装照明", "住房建设部门"),
    ("饮水管网改造", "水利部门"),
    ("卫生室标准化建设", "卫生健康部门"),
    ("学校运动场翻新", "教育部门"),
    ("便民步道修建", "城市管理部门"),
    ("公共厕所改建", "城市管理部门"),
    ("健身广场建设", "体育部门"),
    ("农产品冷链仓建设", "农业农村部门"),
    ("河道清淤整治", "水利部门"),
    ("充电停车点建设", "发展改革部门"),
)
CHEAPEST, DEAREST = 20, 900
FEN_IN_TEN_THOUSAND_YUAN = 1_000_000
FEWEST, MOST = 300, 20_000
DISSENTING = 5


@dataclass(frozen=True)
class Candidate:
    """One project as it was screened."""

    title: str
    department: str
    cost_fen: int
    beneficiaries: int

    @property
    def content(self) -> str:
        """What was suggested: the same in every run, and by nobody."""
        return f"建议实施{self.title}（演示数据）"


def candidates(place: str, count: int) -> Iterator[Candidate]:
    """So many for a unit or a district: the same in every run."""
    random = Random(f"projects/{place}")
    for number in range(count):
        work, department = WORKS[number % len(WORKS)]
        phase = number // len(WORKS)
        yield Candidate(
            title=f"{work}（{phase + 1}期）" if phase else work,
            department=department,
            cost_fen=random.randint(CHEAPEST, DEAREST) * FEN_IN_TEN_THOUSAND_YUAN,
            beneficiaries=random.randint(FEWEST, MOST),
        )


def marked(options: Sequence[str], places: int, turn: int) -> list[str]:
    """What the delegate of this turn votes for: the first, but each fifth one another in place of the last of them.

    So none of the others ever reaches the last place, nor ties with it.
    """
    chosen, others = list(options[:places]), options[places:]
    if turn % DISSENTING == DISSENTING - 1:
        chosen[-1] = others[turn // DISSENTING % len(others)]
    return chosen


def votes(options: Sequence[str], places: int, papers: int) -> Counter[str]:
    """On how many of so many papers each is marked."""
    return Counter(option for turn in range(papers) for option in marked(options, places, turn))
