"""Ports of 127.0.0.1 for servers that other processes of this machine will look for again."""

import random
import socket
from collections.abc import Sequence

# Below 32768, where Linux begins to take ports for outgoing connections: a server
# that is away for a moment must find its port still free when it comes back.
RANGE = range(20_000, 32_000)
ATTEMPTS = 200


def free_port(ports: Sequence[int] = RANGE) -> int:
    """A port that could be bound just now. Another process may take it first: be ready to ask again."""
    for port in random.sample(ports, ATTEMPTS):
        if is_free(port):
            return port
    raise OSError(f"no free port in {ports[0]}-{ports[-1]}")


def is_free(port: int) -> bool:
    """Whether a server could listen on the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections of an earlier server that linger in TIME_WAIT are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
