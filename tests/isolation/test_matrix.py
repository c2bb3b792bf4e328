"""Who gets in: every RPC, every wrong caller, through both doors, generated from the descriptors.

An RPC that is added is covered without a line here: what is expected follows
from the access rule that it declares.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import grpc
import pytest

from chassis.auth import ROLES
from chassis.rpc import Rpc
from quanyutong.registry.v1 import districts_pb2, units_pb2
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from tests.conftest import Platforms
from tests.harness import Platform, refused, until
from tests.isolation.examples import requests
from tests.isolation.rpcs import RPCS, Metadata, Outcome, code_of, outcome, short
from tests.isolation.tokens import Claims, Tokens, bearer

UNKNOWN = "599999"
WITH_TOKEN = [path for path, rpc in RPCS.items() if not rpc.secret_address]
AT_ADDRESSES = [path for path, rpc in RPCS.items() if rpc.secret_address]
Case = tuple[str, Metadata, str]


CLAIMS_REFUSED: dict[str, Claims] = {
    "wrong issuer": {"iss": "another"},
    "wrong audience": {"aud": "another"},
    "without issuer": {"iss": None},
    "without audience": {"aud": None},
    "without expiry": {"exp": None},
    "not yet valid": {"nbf": 4_000_000_000},
    "of a district and municipal": {"district": "500102", "scope": "municipal"},
    "of neither": {"district": None, "scope": None},
    "of another scope": {"district": None, "scope": "provincial"},
    "of no code": {"district": "Fuling", "scope": None},
    "whose subject no record can hold": {"sub": "nobody\0"},
}


@dataclass(frozen=True)
class Place:
    """Where the callers are, and the districts that they are of."""

    platform: Platform
    tokens: Tokens
    district: str
    other: str
    suspended: str


@pytest.fixture(scope="module")
async def place(platforms: Platforms) -> Place:
    platform = await platforms.get("all")
    district, other, suspended = [await platform.fresh_district() for _ in range(3)]
    await suspend(platform, suspended)
    return Place(platform, Tokens(platform.settings), district, other, suspended)


async def suspend(platform: Platform, district: str) -> None:
    request = districts_pb2.SuspendDistrictRequest(name=f"districts/{district}", reason="试验")
    async with grpc.aio.insecure_channel(platform.direct) as direct:
        await RegistryServiceStub(direct).SuspendDistrict(request, metadata=platform.metadata(["operator"]))
    for door in ("direct", "gateway"):
        async with grpc.aio.insecure_channel(platform.address(door)) as channel:
            registry = RegistryServiceStub(channel)

            async def heard(registry: RegistryServiceStub = registry) -> bool:
                call = registry.ListUnits(
                    units_pb2.ListUnitsRequest(), metadata=platform.metadata(["viewer"], district)
                )
                try:
                    return await refused(call) == "ERROR_REASON_DISTRICT_SUSPENDED"
                except AssertionError:
                    return False

            await until(heard)


@pytest.fixture(params=["direct", "gateway"])
async def channel(request: pytest.FixtureRequest, place: Place) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(place.platform.address(request.param)) as made:
        yield made


def roles_of(rpc: Rpc) -> list[str]:
    """The words of the roles that the RPC is open to; any role where it asks for none."""
    return [word for word, role in ROLES.items() if role in rpc.roles] or ["viewer"]


def home_of(rpc: Rpc, place: Place) -> str | None:
    """The district of a right token; None for a municipal one."""
    return None if rpc.municipal else place.district


def wrong(rpc: Rpc, place: Place) -> Iterator[Case]:
    """Every caller that must be refused, and the reason."""
    yield from without_a_good_token(rpc, place)
    yield from of_a_wrong_role(rpc, place)
    yield from of_a_wrong_district(rpc, place)
    yield from of_a_wrong_scope(rpc, place)


def without_a_good_token(rpc: Rpc, place: Place) -> Iterator[Case]:
    tokens, roles, home = place.tokens, roles_of(rpc), home_of(rpc, place)
    good = tokens.claims(roles, home)
    yield "anonymous", (), "TOKEN_MISSING"
    yield "another scheme", (("authorization", "Basic dGVzdGVyOg=="),), "TOKEN_MISSING"
    yield "no scheme", (("authorization", tokens.signed(good)),), "TOKEN_MISSING"
    yield "expired", bearer(tokens.signed(good | {"exp": 1})), "TOKEN_EXPIRED"
    for name, token in tokens.wrong(good).items():
        yield name, bearer(token), "TOKEN_INVALID"
    yield "with two tokens", bearer(tokens.signed(good)) * 2, "TOKEN_INVALID"
    yield "with garbage before the token", bearer("garbage") + bearer(tokens.signed(good)), "TOKEN_INVALID"
    for name, changed in CLAIMS_REFUSED.items():
        yield name, bearer(tokens.signed(tokens.claims(roles, home, changed))), "TOKEN_INVALID"


def of_a_wrong_role(rpc: Rpc, place: Place) -> Iterator[Case]:
    if not rpc.roles:
        return
    home = home_of(rpc, place)
    for word in sorted(set(ROLES) - set(roles_of(rpc))):
        yield f"as {word}", bearer(place.tokens.signed(place.tokens.claims([word], home))), "ROLE_MISSING"
    for name, given in {"without a role": [], "as nothing known": ["chairman", "CLERK", ""]}.items():
        yield name, bearer(place.tokens.signed(place.tokens.claims(given, home))), "ROLE_MISSING"


def of_a_wrong_district(rpc: Rpc, place: Place) -> Iterator[Case]:
    def token(district: str | None) -> str:
        return place.tokens.signed(place.tokens.claims(roles_of(rpc), district))

    yield "of an unknown district", bearer(token(UNKNOWN)), "DISTRICT_UNKNOWN"
    yield "of a suspended district", bearer(token(place.suspended)), "DISTRICT_SUSPENDED"
    twice = (*bearer(token(place.district), x_district=place.other), ("x-district", place.district))
    yield "asking for two", twice, "DISTRICT_REFUSED"
    for asked in (place.other, UNKNOWN, "*", "", " ", f"{place.district},{place.other}"):
        yield f"asking for {asked!r}", bearer(token(place.district), x_district=asked), "DISTRICT_REFUSED"


def of_a_wrong_scope(rpc: Rpc, place: Place) -> Iterator[Case]:
    municipal = place.tokens.signed(place.tokens.claims([*roles_of(rpc), "overseer"], None))
    if rpc.municipal:
        of_district = place.tokens.signed(place.tokens.claims(roles_of(rpc), place.district))
        yield "of a district", bearer(of_district), "SCOPE_REFUSED"
    elif rpc.tenant and not rpc.safe:
        yield "municipal", bearer(municipal), "DISTRICT_NOT_PICKED"
        yield "municipal, picking", bearer(municipal, x_district=place.district), "READ_ONLY_CALLER"
    elif rpc.tenant:
        yield "municipal", bearer(municipal), "DISTRICT_NOT_PICKED"
        for picked in (UNKNOWN, "x", "", "*"):
            yield f"picking {picked!r}", bearer(municipal, x_district=picked), "DISTRICT_UNKNOWN"
        twice = (*bearer(municipal, x_district=place.other), ("x-district", place.district))
        yield "picking two", twice, "DISTRICT_UNKNOWN"
        yield "picking a suspended one", bearer(municipal, x_district=place.suspended), "DISTRICT_SUSPENDED"


def right(rpc: Rpc, place: Place) -> Iterator[tuple[str, Metadata]]:
    """Every caller that must not be refused."""
    for word in roles_of(rpc):
        claims = place.tokens.claims([word], home_of(rpc, place))
        yield word, bearer(place.tokens.signed(claims))
        yield f"{word} naming the district", bearer(place.tokens.signed(claims), x_district=place.district)
        municipal = place.tokens.signed(place.tokens.claims([word], None))
        if rpc.safe:
            yield f"municipal {word}", bearer(municipal, x_district=place.district)


@pytest.mark.parametrize("path", WITH_TOKEN, ids=short)
async def test_wrong_callers_are_refused(channel: grpc.aio.Channel, place: Place, path: str) -> None:
    expected, found = {}, {}
    for name, metadata, reason in wrong(RPCS[path], place):
        ended = await outcome(channel, path, [b""], metadata)
        expected[name] = (code_of(path, reason), reason)
        found[name] = (ended.code, ended.reason)
    assert len(expected) >= 25
    assert found == expected


@pytest.mark.parametrize("path", WITH_TOKEN, ids=short)
async def test_right_callers_are_not(channel: grpc.aio.Channel, place: Place, path: str) -> None:
    refused_for = ("UNAUTHENTICATED", "PERMISSION_DENIED")
    for name, metadata in right(RPCS[path], place):
        ended = await outcome(channel, path, [b""], metadata)
        assert ended.code.name not in refused_for, name
        assert ended.reason != "DISTRICT_NOT_PICKED", name


def guess(path: str, district: str) -> bytes:
    """A whole request at a secret address of the district, with a secret that nobody was given."""
    (message,) = requests(path, [])
    setattr(message, "district", district)  # noqa: B010 - every RPC of this scope has it
    return message.SerializeToString()


async def unhurried(channel: grpc.aio.Channel, path: str, message: bytes, metadata: Metadata = ()) -> Outcome:
    """How a call at a secret address ends once the gateway, which lets few of them in a second, lets it in."""

    async def let_in() -> Outcome | None:
        ended = await outcome(channel, path, [message], metadata)
        return None if ended.reason == "RATE_LIMITED" else ended

    ended = await until(let_in)
    assert ended is not None
    return ended


@pytest.mark.parametrize("path", AT_ADDRESSES, ids=short)
async def test_no_token_opens_a_secret_address(channel: grpc.aio.Channel, place: Place, path: str) -> None:
    """Right or wrong, a token makes no difference: neither in a district that has no such secret, nor in none."""
    callers = [metadata for _, metadata, _ in without_a_good_token(RPCS[path], place)]
    callers += [metadata for _, metadata in right(RPCS[path], place)]
    assert len(callers) >= 20
    for metadata in callers:
        ended = await unhurried(channel, path, guess(path, place.district), metadata)
        assert (ended.code, ended.reason) == (grpc.StatusCode.NOT_FOUND, "ADDRESS_NOT_FOUND")


@pytest.mark.parametrize("path", AT_ADDRESSES, ids=short)
async def test_a_secret_address_is_in_one_district(channel: grpc.aio.Channel, place: Place, path: str) -> None:
    refused_in = {place.other: "ADDRESS_NOT_FOUND", UNKNOWN: "ADDRESS_NOT_FOUND", place.suspended: "DISTRICT_SUSPENDED"}
    for district, reason in refused_in.items():
        ended = await unhurried(channel, path, guess(path, district), (("x-district", place.district),))
        assert ended.reason == reason
    for broken in (b"", b"\xff"):
        ended = await unhurried(channel, path, broken)
        assert ended.code is grpc.StatusCode.INVALID_ARGUMENT
