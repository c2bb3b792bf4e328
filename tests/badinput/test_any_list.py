"""Any list in: all of it entered or nothing, every row accounted for, and never a fault of ours."""

from typing import Any

from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from quanyutong.registry.v1 import imports_pb2 as pb
from services.registry.import_columns import COLUMNS, Column
from services.registry.import_reading import reading
from services.registry.spreadsheet import Line, plain
from tests.badinput.conftest import Ground
from tests.badinput.strategies import bounded, wild_text
from tests.contract.office import in_days, on
from tests.embedded.outside import value

PATH = "/quanyutong.registry.v1.RegistryService/ImportMandates"
PEOPLE = ("王小明", "李四", "欧阳娜娜", "Ada")
# What a column of this kind, or of this field, holds where it is filled in as it should be.
RIGHT: dict[str, tuple[Any, ...]] = {
    "person.display_name": PEOPLE,
    "person.identity_number": (None, "500102198001020007", "500102198001020015"),
    "person.phone": (None, "13800138000"),
    "day": (None, "1980-01-02", "1980年1月2日", in_days(-9).isoformat()),
    "unit": (None, "500102013"),
    "term": (None,),
    "country": (None, "中国"),
    "text": (None, "某社区居民委员会"),
}
# Whatever an import could leave behind. What another service tells meanwhile is none of it.
EVERYTHING = """
    SELECT (SELECT coalesce(sum(revision), 0) FROM registry.person WHERE district = '{0}')
         + (SELECT coalesce(sum(revision), 0) FROM registry.mandate WHERE district = '{0}')
         + (SELECT count(*) FROM registry.audit WHERE district = '{0}' AND subject NOT LIKE 'event:%')"""


def right(column: Column) -> st.SearchStrategy[Any]:
    if column.words:
        return st.sampled_from(column.choices)
    return st.sampled_from(RIGHT.get(column.field) or RIGHT[column.kind])


@st.composite
def tables(draw: st.DrawFn) -> list[list[Any]]:
    """A heading and some rows, most cells as they should be."""
    columns = [c for c in COLUMNS if c.field and (c.needed or draw(st.booleans()))]
    wild = draw(st.sampled_from((0, 0, 1, 3)))
    cells = [
        st.one_of(right(column), wild_text) if draw(st.integers(0, 9)) < wild else right(column) for column in columns
    ]
    return [[column.zh[0] for column in columns], *draw(st.lists(st.tuples(*cells).map(list), min_size=1, max_size=8))]


@bounded(60)
@given(table=tables(), partial=st.booleans())
async def test_any_list_is_entered_whole_or_not_at_all(ground: Ground, table: list[list[Any]], partial: bool) -> None:
    lines = [Line(n, [plain(c) if isinstance(c, str) else c for c in row]) for n, row in enumerate(table, 1)]
    rows = reading(lines, {}).rows
    (term,) = (name for name in ground.names if "/terms/" in name)
    opening = pb.ImportMandatesRequest.Opening(
        term=term, active_from=on(in_days(-5)), recommender="某社区居民委员会", partial=partial
    )
    messages: list[Message] = [
        pb.ImportMandatesRequest(opening=opening),
        pb.ImportMandatesRequest(batch=pb.ImportMandatesRequest.Batch(rows=rows)),
    ]
    before = await left(ground)
    ended = await ground.call("direct", PATH, [message.SerializeToString() for message in messages])
    if ended.answers:
        answer = pb.ImportMandatesResponse.FromString(ended.answers[0])
        assert answer.added + answer.changed + answer.unchanged + answer.refused == len(rows)
        assert partial or not answer.refused
        assert (await left(ground) == before) == (answer.added + answer.changed == 0)
    else:
        assert ended.reason == "IMPORT_REFUSED"
        assert not partial
        assert await left(ground) == before


async def left(ground: Ground) -> object:
    return await value(ground.office.tenant.platform.postgres.url, EVERYTHING.format(ground.office.district))
