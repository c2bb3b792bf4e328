"""The part of Envoy's external authorization API that the front desk speaks.

Only the fields in use are described; protobuf skips the others. Described in a
pool of their own, so that the package `envoy` of these messages meets no other.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SERVICE = "envoy.service.auth.v3.Authorization"
PACKAGE = "envoy.service.auth.v3"

_STRING = descriptor_pb2.FieldDescriptorProto.TYPE_STRING
_BYTES = descriptor_pb2.FieldDescriptorProto.TYPE_BYTES
_INT32 = descriptor_pb2.FieldDescriptorProto.TYPE_INT32
_OPTIONAL = descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
_REPEATED = descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED

# Message -> field -> (number, type). A name is a message of this table; in a list, repeated.
_MESSAGES: dict[str, dict[str, tuple[int, Any]]] = {
    "CheckRequest": {"attributes": (1, "AttributeContext")},
    "AttributeContext": {"request": (4, "Request"), "context_extensions": (10, ["Extension"])},
    # A map's entry, as it is on the wire.
    "Extension": {"key": (1, _STRING), "value": (2, _STRING)},
    "Request": {"http": (2, "HttpRequest")},
    "HttpRequest": {"headers": (3, ["Extension"]), "raw_body": (12, _BYTES)},
    "CheckResponse": {"status": (1, "Status"), "denied_response": (2, "Denied")},
    "Status": {"code": (1, _INT32)},
    "Denied": {"status": (1, "HttpStatus"), "body": (3, _STRING)},
    "HttpStatus": {"code": (1, _INT32)},
}


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="authorization.proto", package=PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            label = _REPEATED if isinstance(kind, list) else _OPTIONAL
            kind = kind[0] if isinstance(kind, list) else kind
            if isinstance(kind, str):
                message.field.add(name=field, number=number, label=label, type_name=f".{PACKAGE}.{kind}", type=11)
            else:
                message.field.add(name=field, number=number, label=label, type=kind)
    return file


_pool = descriptor_pool.DescriptorPool()
_pool.Add(_file())
CheckRequest: Any = message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{PACKAGE}.CheckRequest"))
CheckResponse: Any = message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{PACKAGE}.CheckResponse"))


def allowed() -> Any:
    """The call goes on."""
    return CheckResponse()


def denied(http_status: int, body: str) -> Any:
    """The call ends with this answer."""
    return CheckResponse(status={"code": 7}, denied_response={"status": {"code": http_status}, "body": body})
