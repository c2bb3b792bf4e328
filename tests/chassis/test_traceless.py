"""Which calls leave no trace, as the protos declare it: those of the vote itself, and they keep no request_id."""

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

from chassis.rpc import AccessUndeclared, inventory
from quanyutong.options.v1 import options_pb2
from services.__main__ import TARGETS


def test_the_two_calls_of_a_vote() -> None:
    found = inventory(manifest.service for manifest in TARGETS.values())
    assert {rpc.method for rpc in found.values() if rpc.traceless} == {"TakePaper", "CastBallot"}


@pytest.mark.parametrize(("fields", "safe"), [(["request_id"], False), ([], True)])
def test_what_leaves_no_trace_changes_something_and_keeps_no_answer(fields: list[str], safe: bool) -> None:
    file = FileDescriptorProto(name="trial.proto", package="trial", syntax="proto3")
    message = file.message_type.add(name="Request")
    for place, name in enumerate(fields, 1):
        message.field.add(name=name, number=place, type=9, label=1)
    method = file.service.add(name="Trial").method.add(
        name="Cast", input_type=".trial.Request", output_type=".trial.Request"
    )
    method.options.idempotency_level = 1 if safe else 0  # type: ignore[assignment]
    method.options.Extensions[options_pb2.access].CopyFrom(
        options_pb2.Access(scope=options_pb2.SCOPE_DISTRICT, roles=[options_pb2.ROLE_BALLOT_BOX], traceless=True)
    )
    pool = DescriptorPool()
    pool.Add(file)
    with pytest.raises(AccessUndeclared):
        inventory([pool.FindServiceByName("trial.Trial")])
