"""How often each district may call: one token bucket each, so that a storm in one leaves the others alone."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions

from chassis.directory import District
from chassis.settings import Settings
from gateway import admission
from gateway.addresses import hidden_prefixes
from gateway.configuration import Json, typed

FILTER = "envoy.filters.http.local_ratelimit"
TYPE = "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"
# Calls that carry no token: health, reflection, unknown paths.
ANONYMOUS_CALLS_PER_SECOND = 1_000
ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class Most:
    """Calls a second at secret addresses: of each district, and of all together."""

    each: int
    in_all: int


# Programs read a calendar once an hour, so it is enough for 70,000 of a district.
READ = Most(20, 1_000)
# What is added costs more, and anybody with a telephone can try: a storm is to take little of what the others need.
ADDED = Most(10, 40)


def off() -> Json:
    """The filter as it stands in the chain: the routes say what it limits."""
    return typed(TYPE, stat_prefix="calls")


def calls_per_second(districts: Iterable[District], settings: Settings) -> Json:
    """The limit of each district; municipal callers share one of their own."""
    default = settings.district_calls_per_second
    return typed(
        TYPE,
        stat_prefix="calls",
        filter_enabled=_always(),
        filter_enforced=_always(),
        token_bucket=_bucket(ANONYMOUS_CALLS_PER_SECOND),
        # A call with a token spends from the bucket of its district alone.
        always_consume_default_token_bucket=False,
        rate_limits=[{"actions": [_claim("district")]}, {"actions": [_claim("scope")]}],
        descriptors=[
            _limit("scope", "municipal", default),
            *(_limit("district", entry.code, entry.calls_per_second or default) for entry in districts),
        ],
    )


def secret_addresses(districts: Iterable[District], method: MethodDescriptor) -> Json:
    """The limit where no token is asked for, of one door of an RPC: for the addresses of each district, for what says
    no district that there is, and for all of them together.
    """
    return addresses(districts, hidden_prefixes([method]), most_at(method))


def addresses(districts: Iterable[District], begin: Sequence[str], most: Most) -> Json:
    """The same, by how the paths begin before the district."""
    entries = list(districts)
    return typed(
        TYPE,
        stat_prefix="addresses",
        filter_enabled=_always(),
        filter_enforced=_always(),
        # Spent by what the buckets below let through alone: what is refused there takes nothing from the others.
        token_bucket=_bucket(most.in_all),
        always_consume_default_token_bucket=True,
        rate_limits=[
            *({"actions": [_address(entry.code, [_said(entry.code)])]} for entry in entries),
            *({"actions": [_address(entry.code, [_in_path(entry.code, each)])]} for entry in entries for each in begin),
            {"actions": [_elsewhere(entries, begin)]},
        ],
        descriptors=[_limit("address", name, most.each) for name in (ELSEWHERE, *(entry.code for entry in entries))],
    )


def most_at(method: MethodDescriptor) -> Most:
    return READ if method.GetOptions().idempotency_level == MethodOptions.NO_SIDE_EFFECTS else ADDED


def _address(value: str, headers: list[Json]) -> Json:
    return {"header_value_match": {"descriptor_key": "address", "descriptor_value": value, "headers": headers}}


def _elsewhere(districts: Sequence[District], prefixes: Sequence[str]) -> Json:
    """Of a gateway that knows no district yet, that is every call."""
    if not districts:
        return {"generic_key": {"descriptor_key": "address", "descriptor_value": ELSEWHERE}}
    return _address(ELSEWHERE, list(_none_of(districts, prefixes)))


def _in_path(district: str, prefix: str) -> Json:
    return {"name": ":path", "string_match": {"prefix": f"{prefix}{district}/"}}


def _said(district: str) -> Json:
    """The path of a gRPC call names no district: its metadata may."""
    return {"name": "x-district", "string_match": {"exact": district}}


def _none_of(districts: Iterable[District], prefixes: Sequence[str]) -> Iterator[Json]:
    """Neither in the path nor in the metadata is a district that there is. One match each: Envoy refuses an expression
    that is as long as all of them.
    """
    for entry in districts:
        for said in (_said(entry.code), *(_in_path(entry.code, each) for each in prefixes)):
            yield {**said, "invert_match": True, "treat_missing_header_as_empty": True}


def _limit(claim: str, value: str, calls: int) -> Json:
    return {"entries": [{"key": claim, "value": value}], "token_bucket": _bucket(calls)}


def _bucket(calls: int) -> Json:
    return {"max_tokens": calls, "tokens_per_fill": calls, "fill_interval": "1s"}


def _claim(name: str) -> Json:
    key = {"key": admission.FILTER, "path": admission.claim_path(name)}
    return {"metadata": {"descriptor_key": name, "metadata_key": key, "source": "DYNAMIC"}}


def _always() -> Json:
    return {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
