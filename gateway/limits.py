"""How often each district may call: one token bucket each, so that a storm in one leaves the others alone."""

from collections.abc import Iterable

from chassis.directory import District
from chassis.settings import Settings
from gateway import admission
from gateway.configuration import Json, typed

FILTER = "envoy.filters.http.local_ratelimit"
TYPE = "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"
# Calls that carry no token: health, reflection, unknown paths.
ANONYMOUS_CALLS_PER_SECOND = 1_000
# Calls at secret addresses, of each district. Programs read a calendar once an hour, so it is enough for 70,000.
ADDRESS_CALLS_PER_SECOND = 20


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


def secret_addresses(districts: Iterable[District], prefixes: Iterable[str]) -> Json:
    """The limit where no token is asked for: one for the addresses of each district, one for whatever else is tried."""
    entries, begin = list(districts), list(prefixes)
    return typed(
        TYPE,
        stat_prefix="addresses",
        filter_enabled=_always(),
        filter_enforced=_always(),
        token_bucket=_bucket(ADDRESS_CALLS_PER_SECOND),
        always_consume_default_token_bucket=False,
        rate_limits=[{"actions": [_path(entry.code, prefix)]} for entry in entries for prefix in begin],
        descriptors=[_limit("address", entry.code, ADDRESS_CALLS_PER_SECOND) for entry in entries],
    )


def _path(district: str, prefix: str) -> Json:
    begins = {"name": ":path", "string_match": {"prefix": f"{prefix}{district}/"}}
    return {"header_value_match": {"descriptor_key": "address", "descriptor_value": district, "headers": [begins]}}


def _limit(claim: str, value: str, calls: int) -> Json:
    return {"entries": [{"key": claim, "value": value}], "token_bucket": _bucket(calls)}


def _bucket(calls: int) -> Json:
    return {"max_tokens": calls, "tokens_per_fill": calls, "fill_interval": "1s"}


def _claim(name: str) -> Json:
    key = {"key": admission.FILTER, "path": admission.claim_path(name)}
    return {"metadata": {"descriptor_key": name, "metadata_key": key, "source": "DYNAMIC"}}


def _always() -> Json:
    return {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
