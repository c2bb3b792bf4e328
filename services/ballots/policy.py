"""Who may see or do what, per object. Who may call an RPC at all stands in the proto."""

from chassis.auth import Caller
from quanyutong.options.v1 import options_pb2

STAFF = frozenset({options_pb2.ROLE_CLERK, options_pb2.ROLE_ADMINISTRATOR})


def is_staff(caller: Caller) -> bool:
    """Whether the caller keeps the district's business, and so may see what is not published yet."""
    return bool(caller.roles & STAFF)


def is_a_box(caller: Caller) -> bool:
    """A ballot box is nobody: with another role, or a person's name, its token could tell who casts."""
    return caller.roles == {options_pb2.ROLE_BALLOT_BOX} and not caller.subject.startswith("persons/")


def sees_result(caller: Caller, state: str) -> bool:
    """Scrutineers see a count from the close on, the staff once it is certified, everybody once it is announced."""
    if state == "announced":
        return True
    if options_pb2.ROLE_SCRUTINEER in caller.roles:
        return state in ("closed", "certified")
    return state == "certified" and is_staff(caller)
