"""How minutes speak, and who may sign them: decisions without any platform."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest

from chassis.wire import word
from quanyutong.meetings.v1 import agenda_pb2, meeting_pb2, preparations_pb2
from services.meetings import minutes_text
from services.meetings.domain import Refused
from services.meetings.minutes_text import Agreed, Decided, Held, number_text, ordinal, resolutions_of, summary_of
from services.meetings.signing import Signer, check_signers

HELD = Held(
    title="第一次会议",
    began=datetime(2023, 3, 30, 9, tzinfo=UTC),
    ended=datetime(2023, 3, 30, 11, 30, tzinfo=UTC),
    venue="三楼会议室",
    chair="陈主任",
    secretary="周敏",
    expected=56,
    attended=50,
    on_leave=4,
    absent=2,
    observers=8,
    needed=28,
    present=49,
)
REPORT = Decided("河长制工作", "区水利局", "concluded", "heard", "", "")
# Each table of words and the enum whose values it has to know.
TABLES: list[tuple[dict[str, str], Any]] = [
    (minutes_text.KINDS, meeting_pb2.MeetingKind),
    (minutes_text.FORMS, meeting_pb2.MeetingForm),
    (minutes_text.CLASSES, agenda_pb2.ItemClass),
    (minutes_text.OUTCOMES, agenda_pb2.ItemOutcome),
    (minutes_text.GRADES, agenda_pb2.Satisfaction),
    (minutes_text.PREPARATIONS, preparations_pb2.PreparationKind),
]


@pytest.mark.parametrize(("table", "enum"), TABLES)
def test_every_word_is_known(table: dict[str, str], enum: Any) -> None:
    assert set(table) == {word(enum, value) for value in enum.values() if value}


@pytest.mark.parametrize(
    ("number", "expected"),
    [(1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (21, "二十一"), (99, "九十九"), (100, "100")],
)
def test_ordinals(number: int, expected: str) -> None:
    assert ordinal(number) == expected


def test_a_station_has_no_term() -> None:
    assert (number_text(19, 3), number_text(0, 12)) == ("第十九届第三次", "第十二次")


def test_how_a_meeting_went() -> None:
    assert summary_of(HELD, [REPORT]) == [
        "2023年3月30日09:00至11:30，第一次会议在三楼会议室召开。会议由陈主任主持，周敏记录。",
        "会议应到56人，实到50人，请假4人，缺席2人，列席8人。宣布开会时到会49人，法定人数为28人，符合规定。",
        "会议共审议1项议题：《河长制工作》。",
    ]
    days = replace(HELD, venue="", ended=datetime(2023, 3, 31, 12, tzinfo=UTC))
    assert summary_of(days, [])[0].startswith("2023年3月30日09:00至2023年3月31日12:00，第一次会议召开。")
    full = replace(HELD, on_leave=0, absent=0, observers=0, needed=0)
    assert summary_of(full, []) == [summary_of(HELD, [])[0], "会议应到56人，实到50人。"]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (REPORT, "会议听取了区水利局所作的《河长制工作》。"),
        (replace(REPORT, reporter=""), "会议听取了《河长制工作》。"),
        (replace(REPORT, outcome="approved"), "会议表决通过了《河长制工作》。"),
        (replace(REPORT, outcome="rejected", outcome_text="再议"), "会议表决未通过《河长制工作》。再议。"),
        (
            replace(REPORT, outcome="evaluated", grade="satisfied"),
            "会议对《河长制工作》进行了满意度测评，测评结果为满意。",
        ),
        (replace(REPORT, outcome="evaluated"), "会议对《河长制工作》进行了满意度测评。"),
        (
            replace(REPORT, outcome="referred", outcome_text="交区水利局。"),
            "会议对《河长制工作》予以交办。交区水利局。",
        ),
    ],
)
def test_what_an_item_came_to(item: Decided, expected: str) -> None:
    assert resolutions_of([item], None) == [expected]


def test_what_came_to_nothing_is_not_resolved() -> None:
    others = [replace(REPORT, state=state, outcome="") for state in ("planned", "open", "withdrawn")]
    assert resolutions_of(others, Agreed("更换路灯", "建管办", date(2026, 1, 9))) == [
        "会议议定：更换路灯。由建管办承办，最迟于2026年1月9日完成。"
    ]


def test_who_signs_are_two() -> None:
    chair, person = uuid4(), uuid4()
    seated = Signer("王小明", chair, person)
    check_signers(seated, Signer("王小明", uuid4(), uuid4()))
    check_signers(seated, Signer("周敏"))
    for other in (
        Signer("王小明"),
        Signer(""),
        Signer("改名", chair, uuid4()),
        Signer("另席", uuid4(), person),
    ):
        for pair in ((seated, other), (other, seated)):
            with pytest.raises(Refused, match="SIGNERS_REFUSED"):
                check_signers(*pair)
