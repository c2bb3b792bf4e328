"""Update masks: which fields of a resource a call changes. AIP-134."""

from collections.abc import Collection

from google.protobuf.field_mask_pb2 import FieldMask

from chassis.errors import Refusal


def masked(mask: FieldMask, changeable: Collection[str]) -> list[str]:
    """The fields to change; `*` is all of them. Raises Refusal FIELD_MASK_INVALID."""
    if list(mask.paths) == ["*"]:
        return list(changeable)
    for path in mask.paths or [""]:
        if path not in changeable:
            raise Refusal("FIELD_MASK_INVALID", path=path or "(empty)")
    return list(dict.fromkeys(mask.paths))
