"""What may be done with a plan and its proposals, and what their meetings are called, without input or output."""

from collections.abc import Mapping

from services.meetings.domain import Refused
from services.meetings.obligations import Due

FREE = "chosen_for_each_meeting"
# The forms of the rule, as a meeting has them.
FORMS: Mapping[str, str] = {
    "congress_session": "congress_session",
    "special_report_meeting": "special_report",
    "enlarged_standing_committee": "enlarged_committee",
}
# The day is the same at all stations, and who of a rota comes is settled at each.
RECEPTIONS_OVERLAP = "民情接待日各站点同日举行"
TITLES: Mapping[str, str] = {
    "annual_session": "{year}年年度会议",
    "midyear_meeting": "{year}年年中会议",
    "township_session": "{year}年第{ordinal}次人民代表大会会议",
    "special_meeting": "{year}年第{ordinal}次专项工作报告会",
    "assembly_meeting": "{year}年第{ordinal}次议事代表会议",
    "reception_day": "{year}年{ordinal}月民情接待日",
    "feedback_meeting": "{year}年第{ordinal}次反馈会",
    "symposium": "{year}年第{ordinal}次座谈会",
}


def check_year(year: int, present: int) -> None:
    """A year that is over is not planned any more."""
    if year < present:
        raise Refused("PLAN_YEAR_OVER", year=year)


def check_waiting(proposal: str, state: str) -> None:
    """A proposal is decided on once, and only when it has a time."""
    if state != "proposed":
        raise Refused("PROPOSAL_STATE_REFUSED", proposal=proposal, state=state.upper())


def check_current(proposal: str, state: str | None, begun: bool) -> None:
    """`state` is that of its obligation, None when it is owed no more; `begun`: its time has come."""
    if state != "due" or begun:
        raise Refused("PROPOSAL_OVERTAKEN", proposal=proposal)


def form_of(kind: str, given: str, rule: str, version: str) -> str:
    """The form of the meeting: none but a mid-year meeting has one, which is the rule's or, where it is free, given."""
    if kind != "midyear_meeting":
        return ""
    allowed = set(FORMS.values()) if rule == FREE else {FORMS[rule]}
    form = given or ("" if rule == FREE else FORMS[rule])
    if form not in allowed:
        raise Refused("FORM_REFUSED", version=version, allowed=", ".join(sorted(allowed)).upper())
    return form


def title(body: str, due: Due) -> str:
    return body + TITLES[due.kind].format(year=due.year, ordinal=due.ordinal)
