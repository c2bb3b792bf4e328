"""Who may see or do what, per object. Who may call an RPC at all stands in the proto."""

from chassis.auth import Caller
from quanyutong.options.v1 import options_pb2

STAFF = frozenset({options_pb2.ROLE_CLERK, options_pb2.ROLE_ADMINISTRATOR})


def keeps_all_calendars(caller: Caller) -> bool:
    """The staff keeps everybody's calendars, a delegate the own ones."""
    return bool(caller.roles & STAFF)
