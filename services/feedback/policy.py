"""Who may see or do what, per object. Who may call an RPC at all stands in the proto."""

from chassis.auth import Caller
from quanyutong.options.v1 import options_pb2

STAFF = frozenset({options_pb2.ROLE_CLERK, options_pb2.ROLE_EXAMINER, options_pb2.ROLE_ADMINISTRATOR})


def keeps_the_register(caller: Caller) -> bool:
    """Whether the caller enters what others said: a delegate without that role acts for the own mandate alone."""
    return options_pb2.ROLE_CLERK in caller.roles


def is_staff(caller: Caller) -> bool:
    """Whether the caller keeps the district's business, and so sees what is not disclosed."""
    return bool(caller.roles & STAFF)
