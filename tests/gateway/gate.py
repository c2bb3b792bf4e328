"""A real gateway over a real Envoy, with what a test needs to call through it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
import jwt
import psutil
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2

from chassis.directory import Directory, District
from chassis.settings import Settings
from gateway.serve import gateway
from gateway.upstream import Upstream
from tests.gateway.backend import SERVICE, Backend, probe_pb2_grpc

WANZHOU, FULING, DAZU = "500101", "500102", "500111"
DISTRICTS = (District(WANZHOU, "万州区"), District(FULING, "涪陵区"), District(DAZU, "大足区", suspended=True))
Claims = dict[str, Any]


class Signer:
    """An identity provider: a key, its published set, and tokens."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.renew()

    def renew(self) -> None:
        """Another key of the same name, published in place of the previous one."""
        self._key = Ed25519PrivateKey.generate()
        public = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(self._key.public_key()))
        self.file.write_text(json.dumps({"keys": [public | {"kid": "1", "alg": "EdDSA"}]}))

    def token(self, district: str | None = WANZHOU, **claims: Any) -> str:
        """A token of the district, or a municipal one without it. A claim of None is left out."""
        kind = {"district": district} if district else {"scope": "municipal"}
        said = {"iss": "quanyutong-development", "aud": "quanyutong", "exp": int(time.time()) + 300} | kind | claims
        return self._signed({name: value for name, value in said.items() if value is not None})

    def bearer(self, district: str | None = WANZHOU, **claims: Any) -> tuple[tuple[str, str], ...]:
        """The metadata of a call with such a token."""
        return (("authorization", f"Bearer {self.token(district, **claims)}"),)

    def bearer_of(self, kind: Claims) -> tuple[tuple[str, str], ...]:
        """The same with a token whose district and scope are exactly these, whatever their types."""
        said = {"iss": "quanyutong-development", "aud": "quanyutong", "exp": int(time.time()) + 300} | kind
        return (("authorization", f"Bearer {self._signed(said)}"),)

    def _signed(self, claims: Claims) -> str:
        return jwt.encode({"sub": "tester"} | claims, self._key, algorithm="EdDSA", headers={"kid": "1"})


class Gate:
    """A running gateway."""

    def __init__(self, url: str, settings: Settings, directory: Directory, signer: Signer, backend: Backend) -> None:
        self.url = url
        self.settings = settings
        self.directory = directory
        self.signer = signer
        self.backend = backend

    @property
    def address(self) -> str:
        return self.url.partition("://")[2]

    @property
    def log(self) -> str:
        return (self.settings.state / "gateway" / "envoy.log").read_text()

    def channel(self) -> grpc.aio.Channel:
        return grpc.aio.insecure_channel(self.address, options=[("grpc.enable_http_proxy", 0)])

    def rest(self, district: str | None = WANZHOU, **claims: Any) -> httpx.AsyncClient:
        headers = dict(self.signer.bearer(district, **claims))
        return httpx.AsyncClient(base_url=self.url, headers=headers, trust_env=False, timeout=20)

    def envoy(self) -> psutil.Process:
        """The Envoy process of this gateway."""
        bootstrap = str(self.settings.state / "gateway" / "bootstrap.json")
        for process in psutil.Process().children(recursive=True):
            command = process.cmdline()
            if bootstrap in command and Path(command[0]).name == "envoy":
                return process
        raise AssertionError("no Envoy runs")


@asynccontextmanager
async def running(
    folder: Path,
    *,
    districts: Sequence[District] = DISTRICTS,
    others: Sequence[Backend] = (),
    more: Sequence[Upstream] = (),
    keys: str | None = None,
    **settings: Any,
) -> AsyncIterator[Gate]:
    """A gateway with everything in `folder`, in front of one backend that runs.

    `others` are further processes of the same service, `more` further services, `keys` another place of the key set.
    """
    backend = Backend()
    await backend.start()
    try:
        signer = Signer(folder / "jwks.json")
        chosen = Settings(state=folder / "state", **{"shutdown_grace": 2, **settings})
        directory = Directory(districts)
        probe = Upstream("probe", tuple(each.address for each in (backend, *others)), (SERVICE,))
        async with gateway(chosen, [probe, *more], directory, keys or str(signer.file)) as url:
            yield Gate(url, chosen, directory, signer, backend)
    finally:
        await backend.stop()


@asynccontextmanager
async def stub(gate: Gate) -> AsyncIterator[Any]:
    """The probe service through the gateway."""
    async with AsyncExitStack() as stack:
        yield probe_pb2_grpc.ProbeServiceStub(await stack.enter_async_context(gate.channel()))


def status_of(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    """The rich status of a refused call."""
    return status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])


def reason_of(status: status_pb2.Status) -> str:
    """The one ErrorInfo's reason, without its prefix."""
    (info,) = (detail for detail in status.details if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR))
    found = error_details_pb2.ErrorInfo()
    info.Unpack(found)
    assert found.domain == "quanyutong"
    return str(found.reason).removeprefix("ERROR_REASON_")


def rest_status(response: httpx.Response) -> status_pb2.Status:
    """The same status as REST tells it."""
    assert response.headers["content-type"] == "application/json"
    return json_format.Parse(response.text, status_pb2.Status())


async def refused(call: Any) -> tuple[grpc.StatusCode, str]:
    """How a call was refused: its code and its reason."""
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await call
    status = status_of(refusal.value)
    assert status.code == refusal.value.code().value[0]
    assert status.message == refusal.value.details()
    return refusal.value.code(), reason_of(status)


async def eventually(condition: Callable[[], Any], within: float = 15) -> Any:
    """What the condition gives once that is true; conditions may be coroutine functions."""
    async with asyncio.timeout(within):
        while True:
            outcome = condition()
            if asyncio.iscoroutine(outcome):
                outcome = await outcome
            if outcome:
                return outcome
            await asyncio.sleep(0.02)
