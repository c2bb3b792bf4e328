"""Update masks: which fields a call changes (AIP-134)."""

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.errors import Refusal
from chassis.masks import masked

CHANGEABLE = ("display_name", "gender")


@pytest.mark.parametrize(
    ("paths", "fields"),
    [
        (["*"], ["display_name", "gender"]),
        (["gender"], ["gender"]),
        (["gender", "display_name", "gender"], ["gender", "display_name"]),
    ],
)
def test_fields_that_a_mask_names(paths: list[str], fields: list[str]) -> None:
    assert masked(FieldMask(paths=paths), CHANGEABLE) == fields


@pytest.mark.parametrize(
    ("paths", "named"),
    [
        ([], "(empty)"),
        ([""], "(empty)"),
        (["name"], "name"),
        (["gender", "etag"], "etag"),
        (["*", "gender"], "*"),
        (["gender.x"], "gender.x"),
    ],
)
def test_mask_that_names_anything_else_is_refused(paths: list[str], named: str) -> None:
    with pytest.raises(Refusal) as refused:
        masked(FieldMask(paths=paths), CHANGEABLE)
    assert (refused.value.reason, refused.value.facts) == ("FIELD_MASK_INVALID", {"path": named})
