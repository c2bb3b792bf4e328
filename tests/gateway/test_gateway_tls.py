"""TLS at the public address, and client certificates that are bound to a district."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import httpx
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.configuration import GatewayConfigInvalid
from tests.gateway.backend import probe_pb2, probe_pb2_grpc
from tests.gateway.gate import FULING, WANZHOU, Gate, eventually, reason_of, refused, rest_status, running

REQUEST = probe_pb2.GetProbeRequest(name="probes/1")
REFUSED = (grpc.StatusCode.PERMISSION_DENIED, "CERTIFICATE_REFUSED")


class Office:
    """Issues the certificates of one gateway and its clients, as files."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.certificate, self.key, self.client_ca = (folder / f"{name}.pem" for name in ("chain", "key", "clients"))
        self.authority.cert_pem.write_to_path(str(self.client_ca))
        self.renew()

    def renew(self) -> None:
        """Another certificate of the server, over the previous one."""
        made = self.authority.issue_cert("127.0.0.1")
        made.private_key_pem.write_to_path(str(self.key))
        self.certificate.write_bytes(b"".join(pem.bytes() for pem in made.cert_chain_pems))

    @property
    def settings(self) -> dict[str, Any]:
        return {"gateway_certificate": self.certificate, "gateway_key": self.key}


class Identity(NamedTuple):
    """A client's private key and certificate, as PEM."""

    key: bytes
    certificate: bytes


def identity(authority: trustme.CA, *names: x509.GeneralName) -> Identity:
    """One with these alternative names; trustme itself issues none with a URI."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    signing = load_pem_private_key(authority.private_key_pem.bytes(), None)
    assert isinstance(signing, ec.EllipticCurvePrivateKey)
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "client")]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(signing, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Identity(private, certificate.public_bytes(Encoding.PEM))


@asynccontextmanager
async def secure_stub(gate: Gate, office: Office, client: Identity | None = None) -> AsyncIterator[Any]:
    credentials = grpc.ssl_channel_credentials(office.authority.cert_pem.bytes(), *(client or ()))
    async with grpc.aio.secure_channel(gate.address, credentials, [("grpc.enable_http_proxy", 0)]) as channel:
        yield probe_pb2_grpc.ProbeServiceStub(channel)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


async def test_tls_for_grpc_and_rest(tmp_path: Path, office: Office) -> None:
    async with running(tmp_path, **office.settings) as gate:
        assert gate.url.startswith("https://")
        async with secure_stub(gate, office) as probe:
            await probe.GetProbe(REQUEST, metadata=gate.signer.bearer())
        context = ssl.create_default_context(cafile=str(office.client_ca))
        async with httpx.AsyncClient(verify=context, trust_env=False, http2=True) as rest:
            response = await rest.get(f"{gate.url}/v1/probes/1", headers=dict(gate.signer.bearer()))
        assert (response.status_code, response.http_version) == (200, "HTTP/2")


async def shown(gate: Gate) -> str:
    """The certificate that the public address shows now."""
    host, _, port = gate.address.partition(":")
    return await asyncio.to_thread(ssl.get_server_certificate, (host, int(port)), timeout=10)


async def test_renewed_certificate_is_used_without_a_restart(tmp_path: Path, office: Office) -> None:
    async with running(tmp_path, **office.settings) as gate:
        before, envoy = await shown(gate), gate.envoy().pid
        office.renew()

        async def renewed() -> bool:
            return await shown(gate) != before

        await eventually(renewed)
        assert gate.envoy().pid == envoy


async def test_half_a_renewal_changes_nothing(tmp_path: Path, office: Office, caplog: pytest.LogCaptureFixture) -> None:
    """A certificate whose key has not arrived yet: the previous pair stays in use."""
    async with running(tmp_path, **office.settings) as gate:
        before = await shown(gate)
        other = trustme.CA().issue_cert("127.0.0.1")
        office.certificate.write_bytes(other.cert_chain_pems[0].bytes())
        await eventually(lambda: "was not applied" in caplog.text)
        assert await shown(gate) == before
        async with secure_stub(gate, office) as probe:
            await probe.GetProbe(REQUEST, metadata=gate.signer.bearer())


async def test_private_key_is_readable_by_its_owner_only(tmp_path: Path, office: Office) -> None:
    async with running(tmp_path, **office.settings) as gate:
        folder = gate.settings.state / "gateway"
        assert folder.stat().st_mode & 0o077 == 0
        assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())


@pytest.fixture
async def mutual(tmp_path: Path, office: Office) -> AsyncIterator[Gate]:
    async with running(tmp_path, **office.settings, gateway_client_ca=office.client_ca) as gate:
        yield gate


def of_district(code: str) -> x509.GeneralName:
    return x509.UniformResourceIdentifier(f"urn:quanyutong:district:{code}")


MUNICIPAL = x509.UniformResourceIdentifier("urn:quanyutong:municipal")
A_NAME = x509.DNSName("office.example.org")
DISGUISED = x509.DNSName(f"urn:quanyutong:district:{WANZHOU}")


@pytest.mark.parametrize(
    ("names", "token", "admitted"),
    [
        ([of_district(WANZHOU)], WANZHOU, True),
        ([A_NAME, of_district(WANZHOU)], WANZHOU, True),
        ([of_district(FULING)], WANZHOU, False),
        ([A_NAME], WANZHOU, False),
        ([DISGUISED], WANZHOU, False),
        ([MUNICIPAL], WANZHOU, False),
        ([MUNICIPAL], None, True),
        ([of_district(WANZHOU)], None, False),
    ],
    ids=str,
)
async def test_certificate_and_token_belong_together(
    mutual: Gate, office: Office, names: list[x509.GeneralName], token: str | None, admitted: bool
) -> None:
    async with secure_stub(mutual, office, identity(office.authority, *names)) as probe:
        call = probe.GetProbe(REQUEST, metadata=mutual.signer.bearer(token))
        if admitted:
            await call
        else:
            assert await refused(call) == REFUSED


async def test_no_certificate(mutual: Gate, office: Office) -> None:
    async with secure_stub(mutual, office) as probe:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await probe.GetProbe(REQUEST, metadata=mutual.signer.bearer(), timeout=5)
        assert failure.value.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
    assert not mutual.backend.probes.calls


async def test_certificate_of_another_authority(mutual: Gate, office: Office) -> None:
    stranger = identity(trustme.CA(), of_district(WANZHOU))
    async with secure_stub(mutual, office, stranger) as probe:
        with pytest.raises(grpc.aio.AioRpcError):
            await probe.GetProbe(REQUEST, metadata=mutual.signer.bearer(), timeout=5)
    assert not mutual.backend.probes.calls


async def test_refused_certificate_over_rest(mutual: Gate, office: Office, tmp_path: Path) -> None:
    context = ssl.create_default_context(cafile=str(office.client_ca))
    pem = tmp_path / "client.pem"
    pem.write_bytes(b"".join(identity(office.authority, of_district(FULING))))
    context.load_cert_chain(pem)
    async with httpx.AsyncClient(verify=context, trust_env=False) as rest:
        response = await rest.get(f"{mutual.url}/v1/probes/1", headers=dict(mutual.signer.bearer()))
    assert (response.status_code, reason_of(rest_status(response))) == (403, "CERTIFICATE_REFUSED")


@pytest.mark.parametrize(
    ("left_out", "says"),
    [
        ("gateway_key", "belong together"),
        ("gateway_certificate", "belong together"),
    ],
)
async def test_half_of_tls(tmp_path: Path, office: Office, left_out: str, says: str) -> None:
    settings = {name: path for name, path in office.settings.items() if name != left_out}
    with pytest.raises(GatewayConfigInvalid, match=says):
        async with running(tmp_path, **settings):
            pass


async def test_client_authorities_without_tls(tmp_path: Path, office: Office) -> None:
    with pytest.raises(GatewayConfigInvalid, match="QYT_GATEWAY_CLIENT_CA needs"):
        async with running(tmp_path, gateway_client_ca=office.client_ca):
            pass


@pytest.mark.parametrize("name", ["gateway_certificate", "gateway_key", "gateway_client_ca"])
async def test_missing_file_is_named(tmp_path: Path, office: Office, name: str) -> None:
    settings = {**office.settings, "gateway_client_ca": office.client_ca, name: tmp_path / "missing.pem"}
    with pytest.raises(GatewayConfigInvalid, match=rf"QYT_{name.upper()}: .*missing\.pem cannot be read"):
        async with running(tmp_path, **settings):
            pass


async def test_key_of_another_certificate(tmp_path: Path, office: Office) -> None:
    trustme.CA().issue_cert("127.0.0.1").private_key_pem.write_to_path(str(office.key))
    with pytest.raises(GatewayConfigInvalid, match="Envoy refuses"):
        async with running(tmp_path, **office.settings):
            pass
