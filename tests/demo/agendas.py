"""What is on the agenda of the meetings of 2023 of which that is published, and of Nan'an's, which is made up.

Of Wujia (吴家) and Baitao (白涛) the city published what was dealt with and in which months, or how often they met. The
days, the wording, and what Baitao and Nan'an (南岸) dealt with are made up here.
"""

from dataclasses import dataclass
from datetime import date

from quanyutong.meetings.v1.agenda_pb2 import (
    EVALUATION_METHOD_GRADES,
    EVALUATION_METHOD_SCORE,
    EVALUATION_METHOD_UNSPECIFIED,
    ITEM_CLASS_BUDGET,
    ITEM_CLASS_GROUP_DISCUSSION,
    ITEM_CLASS_PROJECT_PROGRESS,
    ITEM_CLASS_PROPOSAL_HANDLING,
    ITEM_CLASS_REPORT,
    ITEM_CLASS_SPECIAL_REPORT,
    ITEM_CLASS_SPEECHES,
    ITEM_OUTCOME_APPROVED,
    ITEM_OUTCOME_EVALUATED,
    ITEM_OUTCOME_HEARD,
    ITEM_OUTCOME_REFERRED,
    EvaluationMethod,
    ItemClass,
    ItemOutcome,
)
from tests.demo import published

TOWN = "吴家镇人民政府"
SUBDISTRICT = "白涛街道办事处"
DISTRICT = "南岸区人民政府"


@dataclass(frozen=True)
class Item:
    """One item, and what it ends in. Its opinions are handed to the undertaker, where one is named, and closed."""

    item_class: "ItemClass.ValueType"
    title: str
    reporter: str
    method: "EvaluationMethod.ValueType" = EVALUATION_METHOD_UNSPECIFIED
    unless_evaluated: "ItemOutcome.ValueType" = ITEM_OUTCOME_HEARD
    opinions: tuple[str, ...] = ()
    undertaker: str = ""

    @property
    def outcome(self) -> "ItemOutcome.ValueType":
        return ITEM_OUTCOME_EVALUATED if self.method else self.unless_evaluated


@dataclass(frozen=True)
class Agenda:
    """The agenda of one meeting, and its day."""

    day: date
    items: tuple[Item, ...]


def _opinions(about: str, count: int) -> tuple[str, ...]:
    return tuple(f"关于{about}的第{number}条意见（演示数据）" for number in range(1, count + 1))


WUJIA = (
    Agenda(
        date(2023, 5, 18),
        (
            Item(
                ITEM_CLASS_SPECIAL_REPORT,
                "关于大中型水库移民后期扶持工作情况的专项报告",
                TOWN,
                EVALUATION_METHOD_GRADES,
            ),
        ),
    ),
    Agenda(
        date(2023, 8, 17),
        (
            Item(ITEM_CLASS_REPORT, "上半年工作报告", TOWN, opinions=_opinions("上半年工作", 12)),
            Item(
                ITEM_CLASS_SPECIAL_REPORT,
                "关于河长制工作情况的专项报告",
                TOWN,
                EVALUATION_METHOD_GRADES,
                opinions=_opinions("河长制工作", 8),
            ),
        ),
    ),
    Agenda(
        date(2023, 11, 16),
        (
            Item(ITEM_CLASS_BUDGET, "财政决算报告", TOWN, unless_evaluated=ITEM_OUTCOME_APPROVED),
            Item(ITEM_CLASS_PROJECT_PROGRESS, "民生实事项目进展情况报告", TOWN),
            Item(ITEM_CLASS_PROPOSAL_HANDLING, "代表建议办理情况报告", TOWN),
            Item(ITEM_CLASS_SPECIAL_REPORT, "人民法庭工作情况报告", "吴家人民法庭", EVALUATION_METHOD_GRADES),
            Item(ITEM_CLASS_SPECIAL_REPORT, "司法所工作情况报告", "吴家司法所", EVALUATION_METHOD_GRADES),
        ),
    ),
)
BAITAO = (
    Agenda(
        date(2023, 1, 12),
        (
            Item(ITEM_CLASS_REPORT, "街道年度工作安排报告", SUBDISTRICT),
            Item(ITEM_CLASS_BUDGET, "街道年度财政收支安排报告", SUBDISTRICT),
        ),
    ),
    Agenda(
        date(2023, 7, 20),
        (
            Item(ITEM_CLASS_REPORT, "上半年工作报告", SUBDISTRICT),
            Item(ITEM_CLASS_PROJECT_PROGRESS, "民生实事项目进展情况报告", SUBDISTRICT),
            Item(ITEM_CLASS_SPEECHES, "议事代表发言", ""),
        ),
    ),
    Agenda(
        date(2023, 12, 14),
        (
            Item(ITEM_CLASS_REPORT, "年度工作报告", SUBDISTRICT, EVALUATION_METHOD_GRADES),
            Item(ITEM_CLASS_PROPOSAL_HANDLING, "意见建议办理情况报告", SUBDISTRICT),
            Item(ITEM_CLASS_GROUP_DISCUSSION, "分组讨论", "", unless_evaluated=ITEM_OUTCOME_REFERRED),
        ),
    ),
)
NAN_AN = (
    Agenda(
        date(2023, 7, 27),
        (
            Item(ITEM_CLASS_REPORT, "区人民政府上半年工作报告", DISTRICT),
            Item(ITEM_CLASS_BUDGET, "上半年预算执行情况报告", DISTRICT),
            Item(
                ITEM_CLASS_SPECIAL_REPORT,
                "关于老旧小区改造工作情况的专项报告",
                DISTRICT,
                EVALUATION_METHOD_SCORE,
                opinions=_opinions("老旧小区改造", 3),
                undertaker="南岸区住房城乡建设委",
            ),
            Item(
                ITEM_CLASS_SPECIAL_REPORT,
                "关于社区养老服务工作情况的专项报告",
                DISTRICT,
                EVALUATION_METHOD_SCORE,
                opinions=_opinions("社区养老服务", 2),
                undertaker="南岸区民政局",
            ),
            Item(ITEM_CLASS_PROJECT_PROGRESS, "民生实事项目上半年进展情况报告", DISTRICT),
            Item(ITEM_CLASS_PROPOSAL_HANDLING, "代表建议办理情况报告", DISTRICT),
        ),
    ),
)
# By the code of the unit, or of the district for its congress: the agenda of each of its meetings.
AGENDAS: dict[str, tuple[Agenda, ...]] = {
    published.WUJIA: WUJIA,
    published.BAITAO: BAITAO,
    published.NAN_AN: NAN_AN,
}
