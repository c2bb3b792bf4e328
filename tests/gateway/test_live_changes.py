"""What changes while the gateway runs, and what it does with a change that Envoy would not take."""

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme

from chassis.directory import Directory, District
from chassis.settings import Settings
from gateway.configuration import GatewayConfigInvalid
from gateway.envoy import GatewayFailed
from gateway.serve import gateway
from tests.gateway.backend import probe_pb2
from tests.gateway.gate import Gate, Signer, eventually, refused, running, stub

REQUEST = probe_pb2.GetProbeRequest(name="probes/1")


async def admitted(gate: Gate, probe: Any, **claims: Any) -> bool:
    try:
        await probe.GetProbe(REQUEST, metadata=gate.signer.bearer(**claims))
    except grpc.aio.AioRpcError:
        return False
    return True


async def test_replaced_keys(tmp_path: Path) -> None:
    """Tokens of the new key pass and those of the old one do not, on one connection with a stream that goes on."""
    async with running(tmp_path) as gate, stub(gate) as probe:
        old, envoy = gate.signer.bearer(), gate.envoy().pid
        stream = probe.EchoProbes(metadata=old)
        await stream.write(probe_pb2.Probe(name="1"))
        await stream.read()
        gate.signer.renew()
        await eventually(lambda: admitted(gate, probe))
        assert (await refused(probe.GetProbe(REQUEST, metadata=old)))[1] == "TOKEN_INVALID"
        await stream.write(probe_pb2.Probe(name="2"))
        assert (await stream.read()).name == "2"
        stream.cancel()
        assert gate.envoy().pid == envoy


async def test_keys_that_cannot_be_read_are_not_applied(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with running(tmp_path) as gate, stub(gate) as probe:
        good = gate.signer.file.read_text()
        for damaged in ("{", '{"keys": []}', '{"keys": [{"kty": "OKP"}]}'):
            caplog.clear()
            gate.signer.file.write_text(damaged)
            await eventually(lambda: "was not applied" in caplog.text)
            assert await admitted(gate, probe)
        gate.signer.file.unlink()
        assert await admitted(gate, probe)
        # What came meanwhile is not lost once the fault is mended.
        gate.directory.put(District("500199", "新区"))
        gate.signer.file.write_text(good)
        await eventually(lambda: admitted(gate, probe, district="500199"))


async def test_many_changes_at_once_become_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "gateway")
    async with running(tmp_path) as gate, stub(gate) as probe:
        for number in range(40):
            gate.directory.put(District(f"5005{number:02}", f"第{number}区", calls_per_second=number + 1))
        await eventually(lambda: admitted(gate, probe, district="500539"))
        applied = [record for record in caplog.records if "was changed" in record.message]
        assert 1 <= len(applied) <= 3


async def test_far_more_districts_than_there_are(tmp_path: Path) -> None:
    """Of every list that the configuration makes of them; a new one comes and goes as among few."""
    many = [District(f"{code}", f"第{code}区", suspended=code % 2 == 0) for code in range(900_001, 902_001)]
    async with running(tmp_path, districts=many) as gate, stub(gate) as probe:
        assert await admitted(gate, probe, district="900001")
        call = probe.GetProbe(REQUEST, metadata=gate.signer.bearer("902000"))
        assert (await refused(call))[1] == "DISTRICT_SUSPENDED"
        gate.directory.put(District("902001", "新区"))
        await eventually(lambda: admitted(gate, probe, district="902001"))


async def test_occupied_address(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(GatewayFailed, match=r"(?i)address.*in use"):
            async with running(tmp_path, gateway_listen=taken):
                pass


async def test_two_gateways_do_not_share_an_address(tmp_path: Path, gate: Gate) -> None:
    with pytest.raises(GatewayFailed):
        async with running(tmp_path, gateway_listen=gate.address):
            pass


@pytest.mark.parametrize("listen", ["nowhere", "127.0.0.1", ":80", "127.0.0.1:http", "127.0.0.1:99999"])
async def test_address_that_is_none(tmp_path: Path, listen: str) -> None:
    with pytest.raises(GatewayConfigInvalid, match="is not host:port"):
        async with running(tmp_path, gateway_listen=listen):
            pass


async def test_ipv6(tmp_path: Path) -> None:
    async with running(tmp_path, gateway_listen="[::1]:0") as gate, gate.rest() as rest:
        assert gate.url.startswith("http://[::1]:")
        assert (await rest.get("/v1/probes/1")).status_code == 200


async def test_no_envoy(tmp_path: Path) -> None:
    with pytest.raises(GatewayConfigInvalid, match="QYT_ENVOY"):
        async with running(tmp_path, envoy=tmp_path / "nothing"):
            pass


async def test_something_else_for_an_envoy(tmp_path: Path) -> None:
    with pytest.raises(GatewayConfigInvalid):
        async with running(tmp_path, envoy=Path("/bin/false")):
            pass


async def test_no_keys(tmp_path: Path) -> None:
    with pytest.raises(GatewayConfigInvalid, match="QYT_JWKS"):
        async with gateway(Settings(state=tmp_path), [], Directory(), str(tmp_path / "missing.json")):
            pass


@pytest.fixture
def identity_provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Signer]]:
    """A key set behind an https URL, of an authority that this machine trusts."""
    signer = Signer(tmp_path / "published.json")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authorities.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authorities.pem"))

    class Publishes(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(signer.file.read_bytes())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Publishes)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://localhost:{server.server_port}/keys", signer
    server.shutdown()
    thread.join()
    server.server_close()


async def test_keys_behind_a_url(tmp_path: Path, identity_provider: tuple[str, Signer]) -> None:
    url, signer = identity_provider
    async with running(tmp_path, keys=url) as gate, stub(gate) as probe:
        gate.signer = signer
        await eventually(lambda: admitted(gate, probe))
        assert (await refused(probe.GetProbe(REQUEST)))[1] == "TOKEN_MISSING"


async def test_keys_behind_a_url_that_does_not_answer(tmp_path: Path) -> None:
    """The gateway opens, and says that it cannot judge rather than that the token is bad."""
    async with running(tmp_path, keys="https://127.0.0.1:1/keys") as gate, stub(gate) as probe:
        async with asyncio.timeout(20):
            outcome = await refused(probe.GetProbe(REQUEST, metadata=gate.signer.bearer()))
        assert outcome == (grpc.StatusCode.UNAVAILABLE, "SERVICE_UNAVAILABLE")


def test_no_file_is_left_half_written(gate: Gate) -> None:
    files = (gate.settings.state / "gateway").glob("*.json")
    assert all(json.loads(path.read_text()) for path in files)
