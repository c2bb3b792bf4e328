"""What is rendered: from the protos alone, for an Envoy of ours or of an operator."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet, MethodOptions

from chassis.errors import Catalogue, Refusal
from chassis.settings import Settings
from gateway import refusals, routes
from gateway.bindings import bindings
from gateway.commands import commands
from gateway.configuration import GatewayConfigInvalid
from gateway.descriptors import descriptor_set
from gateway.envoy import binary, validate
from gateway.upstream import Upstream, split_address
from tests.gateway.backend import SERVICE
from tests.gateway.gate import DISTRICTS, Signer

UPSTREAM = Upstream("probe", ("127.0.0.1:7001", "probe.internal:7001", "[::1]:7001"), (SERVICE,))


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    signer = Signer(tmp_path / "jwks.json")
    return {"QYT_JWKS": str(signer.file), "QYT_STATE": str(tmp_path / "state"), "QYT_GATEWAY_LISTEN": "0.0.0.0:8443"}


def qyt(environment: dict[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(commands(lambda _: [UPSTREAM]), arguments, env=environment)


def door_for(method: str, path: str) -> tuple[str, str] | None:
    """The RPC and the template of the door that a path goes through."""
    for door in bindings(SERVICE.methods):
        if door.verb == method and re.fullmatch(door.path_regex, path):
            return door.method.name, door.template
    return None


@pytest.mark.parametrize(
    ("method", "path", "rpc"),
    [
        ("GET", "/v1/probes/7", "GetProbe"),
        ("GET", "/v1/probes:watch", "WatchProbes"),
        ("POST", "/v1/probes", "CreateProbe"),
        ("POST", "/v1/probes/7:poke", "PokeProbe"),
        ("POST", "/v1/probes/7:nudge", "PokeProbe"),
        ("GET", "/v1/probes/7:poke", None),
        ("GET", "/v1/probes/", None),
        ("GET", "/v1/probes/7/8", None),
        ("GET", "/v1/probesX7", None),
        ("GET", "/v1/probes:watchX", None),
        ("PUT", "/v1/probes/7", None),
    ],
)
def test_path_leads_to_its_rpc(method: str, path: str, rpc: str | None) -> None:
    found = door_for(method, path)
    assert (found and found[0]) == rpc


def test_every_annotation_is_a_door() -> None:
    annotated = {m.name for m in SERVICE.methods if m.GetOptions().HasExtension(annotations_pb2.http)}
    assert {door.method.name for door in bindings(SERVICE.methods)} == annotated


def test_only_safe_unary_calls_are_tried_again() -> None:
    table = routes.routes([UPSTREAM], [], DISTRICTS, Settings())
    retried = {
        route["match"]["path"].rpartition("/")[2]
        for route in table["virtual_hosts"][0]["routes"]
        if "path" in route["match"] and "retry_policy" in route.get("route", {})
    }
    safe = {m.name for m in SERVICE.methods if m.GetOptions().idempotency_level == MethodOptions.NO_SIDE_EFFECTS}
    assert retried == {"GetProbe"}
    assert safe == {"GetProbe", "WatchProbes"}


def test_descriptors_are_complete() -> None:
    """Every file is there with all that it imports, before those that import it."""
    seen: set[str] = set()
    for file in FileDescriptorSet.FromString(descriptor_set([SERVICE])).file:
        assert seen >= set(file.dependency)
        seen.add(file.name)
    assert {"quanyutong/probe/v1/probe.proto", "google/rpc/error_details.proto", "google/rpc/status.proto"} <= seen


def test_every_refusal_means_what_its_reason_says() -> None:
    catalogue = Catalogue()
    for case in refusals.CASES:
        refused = refusals.Refused.of(Refusal(case.reason), "en", case.http)
        assert refused.status.code == catalogue[case.reason].code
        assert "{" not in refused.status.message
        assert 400 <= refused.http < 600


@pytest.mark.parametrize(
    ("address", "parts"), [("a:1", ("a", 1)), ("[::1]:80", ("::1", 80)), ("10.0.0.1:0", ("10.0.0.1", 0))]
)
def test_address(address: str, parts: tuple[str, int]) -> None:
    assert split_address(address) == parts


@pytest.mark.parametrize("address", ["", "a", ":1", "a:", "a:b", "a:70000", "a:-1"])
def test_no_address(address: str) -> None:
    with pytest.raises(GatewayConfigInvalid):
        split_address(address)


def test_printed_configuration_is_taken_by_envoy(environment: dict[str, str]) -> None:
    result = qyt(environment, "render")
    assert result.exit_code == 0, result.output
    asyncio.run(validate(binary(Settings()), json.loads(result.output)))


async def test_envoy_s_own_words_are_passed_on(environment: dict[str, str]) -> None:
    bootstrap = json.loads((await asyncio.to_thread(qyt, environment, "render")).output)
    bootstrap["static_resources"]["listeners"][0]["no_such_field"] = 1
    with pytest.raises(GatewayConfigInvalid, match="no_such_field"):
        await validate(binary(Settings()), bootstrap)


def test_written_configuration(environment: dict[str, str], tmp_path: Path) -> None:
    districts = tmp_path / "districts.csv"
    districts.write_text("code,name\n500101,万州区\n500102,涪陵区\n", encoding="utf-8-sig")
    folder = tmp_path / "out"
    result = qyt(environment, "render", "--output", str(folder), "--districts", str(districts))
    assert result.exit_code == 0, result.output
    assert str(folder / "bootstrap.json") in result.output
    names = {"bootstrap.json", "listener.json", "routes.json", "clusters.json", "tokens.json"}
    assert {path.name for path in folder.iterdir()} == names
    written = (folder / "routes.json").read_text()
    assert all(f'"exact": "{code}"' in written for code in ("500101", "500102"))


@pytest.mark.parametrize("text", ["kode,name\n1,2\n", "code\n500101\n", "code,name\n500101\n"])
def test_faulty_list_of_districts(environment: dict[str, str], tmp_path: Path, text: str) -> None:
    districts = tmp_path / "districts.csv"
    districts.write_text(text)
    result = qyt(environment, "render", "--districts", str(districts))
    assert result.exit_code == 1
    assert "columns code and name" in result.output


def test_private_key_is_not_written(environment: dict[str, str], tmp_path: Path) -> None:
    for name in ("chain", "key"):
        (tmp_path / name).write_text(f"SECRET {name}")
    tls = {"QYT_GATEWAY_CERTIFICATE": str(tmp_path / "chain"), "QYT_GATEWAY_KEY": str(tmp_path / "key")}
    folder = tmp_path / "out"
    for arguments in (["render"], ["render", "--output", str(folder)]):
        result = qyt(environment | tls, *arguments)
        assert result.exit_code == 0, result.output
        assert "SECRET" not in result.output
    assert not [path for path in folder.iterdir() if "SECRET" in path.read_text()]
    assert str(tmp_path / "key") in (folder / "certificate.json").read_text()


def test_missing_keys_are_named(environment: dict[str, str], tmp_path: Path) -> None:
    result = qyt(environment | {"QYT_JWKS": str(tmp_path / "nothing.json")}, "render")
    assert result.exit_code == 1
    assert "QYT_JWKS" in result.output


def test_nothing_rendered_depends_on_order(environment: dict[str, str]) -> None:
    assert qyt(environment, "render").output == qyt(environment, "render").output


def test_no_route_is_open_but_those_meant_to_be() -> None:
    table: Any = routes.routes([UPSTREAM], ["grpc.health.v1.Health"], DISTRICTS, Settings())
    opened = [
        route["match"]
        for route in table["virtual_hosts"][0]["routes"]
        if any("jwt_authn" in name for name in route.get("typed_per_filter_config", {}))
    ]
    assert opened == [{"prefix": "/grpc.health.v1.Health/"}, {"prefix": "/"}]
    assert "direct_response" in table["virtual_hosts"][0]["routes"][-1]
