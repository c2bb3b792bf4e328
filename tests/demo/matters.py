"""What residents and delegates ask for, and the office of the subdistrict that leads in it. All of it is made up."""

from dataclasses import dataclass

from quanyutong.feedback.v1 import opinions_pb2 as pb

BUILDING, SERVICES, SAFETY = "规划建设管理环保办公室", "民政和社会事务办公室", "平安建设办公室"
ECONOMY, EMERGENCY, VILLAGES, CULTURE = "经济发展办公室", "应急管理办公室", "农业服务中心", "文化服务中心"


@dataclass(frozen=True)
class Matter:
    """One thing that is asked for; the first of the offices leads."""

    category: "pb.OpinionCategory.ValueType"
    asked: str
    offices: tuple[str, ...]

    @property
    def undertakers(self) -> list[pb.Undertaker]:
        return [pb.Undertaker(display_name=name, lead=turn == 0) for turn, name in enumerate(self.offices)]


# One route a category leads to these offices.
MATTERS = (
    Matter(pb.OPINION_CATEGORY_TRANSPORT, "希望增开到城区的公交班次", (BUILDING, SAFETY)),
    Matter(pb.OPINION_CATEGORY_HOUSING, "希望改造老旧小区的排水管网", (BUILDING,)),
    Matter(pb.OPINION_CATEGORY_ENVIRONMENT, "希望整治乌江沿岸的垃圾堆放", (BUILDING,)),
    Matter(pb.OPINION_CATEGORY_EDUCATION, "希望完善学校门口的接送通道", (SERVICES, SAFETY)),
    Matter(pb.OPINION_CATEGORY_HEALTH, "希望卫生服务中心周末开诊", (SERVICES,)),
    Matter(pb.OPINION_CATEGORY_SOCIAL_SECURITY, "希望开办社区老年食堂", (SERVICES,)),
    Matter(pb.OPINION_CATEGORY_SAFETY, "希望加装化工园区周边的监测点", (EMERGENCY, SAFETY)),
    Matter(pb.OPINION_CATEGORY_RURAL, "希望修复灌溉水渠", (VILLAGES,)),
    Matter(pb.OPINION_CATEGORY_ECONOMY, "希望扶持本地农产品加工", (ECONOMY,)),
    Matter(pb.OPINION_CATEGORY_CULTURE, "希望开放中小学运动场", (CULTURE,)),
    Matter(pb.OPINION_CATEGORY_GOVERNANCE, "希望规范小区物业收费公示", (SAFETY,)),
    Matter(pb.OPINION_CATEGORY_OTHER, "希望办事大厅中午不休息", (SERVICES,)),
)
