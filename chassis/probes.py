"""Metrics for Prometheus, liveness and readiness, over plain HTTP on an address of their own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import make_wsgi_app

Start = Callable[..., Any]


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name for it
        """A probe every few seconds is no news."""


@contextmanager
def probes(listen: str, ready: Callable[[], bool]) -> Iterator[str]:
    """Answers `/metrics`, `/live` and `/ready` on its own thread; yields the address. Raises OSError when taken."""
    metrics = make_wsgi_app()

    def answer(environ: dict[str, Any], start: Start) -> Any:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            return metrics(environ, start)
        found = {"/live": True, "/ready": ready()}.get(path)
        status = {True: "200 OK", False: "503 Service Unavailable", None: "404 Not Found"}[found]
        start(status, [("Content-Type", "text/plain")])
        return [status.encode() + b"\n"]

    host, _, port = listen.rpartition(":")
    server: WSGIServer = make_server(host, int(port), answer, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, name="probes", daemon=True)
    thread.start()
    try:
        yield f"{host}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
