"""The shape of Envoy's configuration in Python, and the one error that it can have."""

from typing import Any

from chassis.faults import OperatorFault

# A message of Envoy's API as proto3 JSON.
Json = dict[str, Any]


class GatewayConfigInvalid(OperatorFault):
    """The gateway cannot be configured like this. The text says what to change, in one line where possible."""


def typed(message: str, **fields: Any) -> Json:
    """An Any that holds a message of Envoy's API, `message` being its full name."""
    return {"@type": f"type.googleapis.com/{message}", **fields}


def resources(message: str, *items: Json) -> Json:
    """What a file of Envoy's file-based xDS holds: messages of one type, named in full."""
    return {"resources": [typed(message, **item) for item in items]}


def from_file(path: str) -> Json:
    """A ConfigSource: the file, read again each time another one is moved to its place."""
    return {"path_config_source": {"path": path}, "resource_api_version": "V3"}
