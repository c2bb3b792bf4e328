"""The decisions of the feedback service, without any input or output.

Raises Refused; the reason is the name of a value in errors.proto.
"""


class Refused(Exception):
    """The rules do not allow it. `facts` fill the places in the reason's text."""

    def __init__(self, reason: str, **facts: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.facts = {name: str(value) for name, value in facts.items()}
