"""Who may see or do what, per object. Who may call an RPC at all stands in the proto."""

from chassis.auth import Caller
from quanyutong.options.v1 import options_pb2

STAFF = frozenset({options_pb2.ROLE_CLERK, options_pb2.ROLE_ADMINISTRATOR})


def is_staff(caller: Caller) -> bool:
    """Whether the caller keeps the district's business, and so may see what is not published yet."""
    return bool(caller.roles & STAFF)
