"""How large what anybody sends may be: at a secret address no token vouches for it, so that it is refused before it is
read, and before it reaches a service.
"""

from gateway.configuration import Json, typed

FILTER = "envoy.filters.http.buffer"
# The longest text that an address takes, were every letter of it escaped in JSON, is half as long.
LARGEST_AT_ADDRESS = 32 * 1024


def on_call() -> Json:
    """The filter, which is off where no route asks for it."""
    return typed("envoy.extensions.filters.http.buffer.v3.Buffer", max_request_bytes=LARGEST_AT_ADDRESS)


def at_address() -> Json:
    return typed(
        "envoy.extensions.filters.http.buffer.v3.BufferPerRoute", buffer={"max_request_bytes": LARGEST_AT_ADDRESS}
    )
