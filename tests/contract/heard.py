"""What the platform told the other services: the events of a district, read from the bus as any of them would."""

from typing import TypeVar

from google.protobuf.message import Message

from chassis.bus import Bus
from chassis.manifest import subject_of
from tests.contract.office import Office

WITHIN = 15.0
M = TypeVar("M", bound=Message)


async def heard(office: Office, event: type[M], number: int) -> list[M]:
    """The first events of this type, in the order in which they were told. Fails when fewer come in time."""
    bus = await Bus.connect(office.tenant.platform.nats.url, "test")
    try:
        subject = subject_of(event.DESCRIPTOR.full_name, office.district)
        subscription = await bus.js.subscribe(subject, ordered_consumer=True)
        return [event.FromString((await subscription.next_msg(WITHIN)).data) for _ in range(number)]
    finally:
        await bus.close()
