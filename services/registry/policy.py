"""Who may see or do what, per object. Who may call an RPC at all stands in the proto."""

from chassis.auth import Caller


def sees_operations(caller: Caller, district: str) -> bool:
    """Suspension and limits of a district are its own affair and the municipal operators'."""
    return caller.municipal or caller.district == district
