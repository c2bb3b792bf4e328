"""The REST doors of the RPCs, as their `google.api.http` annotations declare them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from google.api import annotations_pb2, http_pb2
from google.protobuf.descriptor import MethodDescriptor

VARIABLE = re.compile(r"\{[^=}]+(?:=([^}]+))?\}")
# A colon always begins a verb here (AIP-136), so no segment holds one.
WILDCARDS = {"*": "[^/:]+", "**": "[^:]+"}


@dataclass(frozen=True)
class Binding:
    """One door: the HTTP method, the path, and the field that the body fills (`*`: the message, empty: none)."""

    method: MethodDescriptor
    verb: str
    template: str
    body: str

    @property
    def path_regex(self) -> str:
        """What a whole path through this door matches, in RE2's syntax."""
        path, colon, custom_verb = self._plain.partition(":")
        segments = (WILDCARDS.get(segment) or re.escape(segment) for segment in path.split("/"))
        return "/".join(segments) + colon + custom_verb

    @property
    def precedence(self) -> tuple[int, ...]:
        """Sorts the more exact of two doors first: a literal before `*` before `**`."""
        return tuple(["*", "**"].index(part) + 1 if part in WILDCARDS else 0 for part in self._plain.split("/"))

    @property
    def _plain(self) -> str:
        return VARIABLE.sub(lambda variable: variable[1] or "*", self.template)


def bindings(methods: Iterable[MethodDescriptor]) -> list[Binding]:
    """Every REST door, in the order in which a path is to be tried on them."""
    found = [binding for method in methods for binding in _of(method)]
    return sorted(found, key=lambda binding: binding.precedence)


def _of(method: MethodDescriptor) -> Iterator[Binding]:
    rule = method.GetOptions().Extensions[annotations_pb2.http]
    for door in (rule, *rule.additional_bindings):
        if pattern := door.WhichOneof("pattern"):
            yield _binding(method, pattern, door)


def _binding(method: MethodDescriptor, pattern: str, door: http_pb2.HttpRule) -> Binding:
    if pattern == "custom":
        return Binding(method, door.custom.kind, door.custom.path, door.body)
    return Binding(method, pattern.upper(), getattr(door, pattern), door.body)
