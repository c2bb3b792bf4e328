"""Faults of rows: one form for what the reader of a file finds and for what the register finds.

A fault never repeats what stands in the cell: where columns are shifted, anything may be an identity number.
"""

from quanyutong.options.v1 import options_pb2
from quanyutong.registry.v1 import imports_pb2 as pb

PREFIX = "ROW_FAULT_REASON_"
# The facts of a fault that only its sender knows.
UNTOLD = dict.fromkeys(("other", "limit", "version", "required", "lacking", "left"), "?")


def row_fault(row: int, field: str, reason: str, **facts: object) -> pb.RowFault:
    """`reason` is the name of a RowFaultReason without its prefix; `facts` fill the places in its texts."""
    number = pb.RowFaultReason.Value(PREFIX + reason)
    meaning = pb.RowFaultReason.DESCRIPTOR.values_by_number[number].GetOptions().Extensions[options_pb2.meaning]
    return pb.RowFault(
        row=row,
        field=field,
        reason=number,
        text_zh=meaning.zh.format_map(facts),
        text_en=meaning.en.format_map(facts),
    )


def reason_of(fault: pb.RowFault) -> str:
    return pb.RowFaultReason.Name(fault.reason).removeprefix(PREFIX)


def echoed(fault: pb.RowFault, row: int) -> pb.RowFault:
    """A fault that the sender found, with our words for it."""
    told = row_fault(row, fault.field, reason_of(fault), **UNTOLD)
    told.row = row
    return told
