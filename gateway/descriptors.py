"""The descriptors that Envoy transcodes JSON with."""

from collections.abc import Iterable

from google.protobuf.descriptor import FileDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.rpc import error_details_pb2, status_pb2

# No message of ours names these types: they travel inside the Any of a status.
ALWAYS = (status_pb2.DESCRIPTOR, error_details_pb2.DESCRIPTOR)


def descriptor_set(services: Iterable[ServiceDescriptor]) -> bytes:
    """A FileDescriptorSet of the services with all that they import, and of the details of an error."""
    files = FileDescriptorSet()
    seen: set[str] = set()

    def add(file: FileDescriptor) -> None:
        if file.name in seen:
            return
        seen.add(file.name)
        for needed in file.dependencies:
            add(needed)
        file.CopyToProto(files.file.add())

    for file in (*ALWAYS, *(service.file for service in services)):
        add(file)
    return files.SerializeToString(deterministic=True)
