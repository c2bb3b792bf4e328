"""Who passes the gateway: the token's signature, then whether its district may call today.

The claims that decide stay inside Envoy, as metadata of the call that no client
can write to; no header carries them. The rules match those of the services
(`chassis.auth`): a caller is either of one district or municipal, never both.
"""

from collections.abc import Iterable
from typing import Any

from chassis.directory import District
from chassis.settings import Settings
from gateway.configuration import Json, typed

FILTER = "envoy.filters.http.jwt_authn"
RULES_FILTER = "envoy.filters.http.rbac"
TOKEN_FILTER_TYPE = "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"  # noqa: S105 - a type's name
KEYS_CLUSTER = "keys"
# Envoy cannot be told "none"; the services judge the expiry to the second.
CLOCK_SKEW_SECONDS = 1
KEYS_CACHED = "300s"
VERIFIED_TOKENS_KEPT = 10_000

MUNICIPAL_CERTIFICATE = "urn:quanyutong:municipal"
DISTRICT_CERTIFICATE = "urn:quanyutong:district:{code}"

# Envoy tries the policies in the order of their names and reports the first that refuses.
TOKEN_INVALID = "1-token-invalid"  # noqa: S105 - a policy's name
DISTRICT_UNKNOWN = "2-district-unknown"
DISTRICT_SUSPENDED = "3-district-suspended"
CERTIFICATE_REFUSED = "4-certificate-refused"


def claim_path(name: str) -> list[Json]:
    """Where the call's metadata holds a claim of the verified token."""
    return [{"key": "claims"}, {"key": name}]


def token_filter(settings: Settings, keys: str) -> Json:
    """The filter that verifies tokens. `keys` is the key set itself, or the https URL of it."""
    provider = {
        "issuer": settings.issuer,
        "audiences": [settings.audience],
        "require_expiration": True,
        "clock_skew_seconds": CLOCK_SKEW_SECONDS,
        "forward": True,
        # Only this header: by default Envoy takes a token from the query string too, where logs would keep it.
        "from_headers": [{"name": "authorization", "value_prefix": prefix} for prefix in ("Bearer ", "bearer ")],
        "payload_in_metadata": "claims",
        "jwt_cache_config": {"jwt_cache_size": VERIFIED_TOKENS_KEPT},
        **_keys(keys),
    }
    return typed(
        TOKEN_FILTER_TYPE,
        providers={"token": provider},
        # Closed unless a route opens itself.
        rules=[{"match": {"prefix": "/"}, "requires": {"provider_name": "token"}}],
    )


def _keys(keys: str) -> Json:
    if not keys.startswith("https://"):
        return {"local_jwks": {"inline_string": keys}}
    return {
        "remote_jwks": {
            "http_uri": {"uri": keys, "cluster": KEYS_CLUSTER, "timeout": "5s"},
            "cache_duration": KEYS_CACHED,
            # The listener does not wait: the gateway starts, and answers UNAVAILABLE until there are keys.
            "async_fetch": {"fast_listener": True},
            "retry_policy": {"num_retries": 3},
        }
    }


def closed() -> Json:
    """The rule where no route says otherwise: nobody passes."""
    return typed("envoy.extensions.filters.http.rbac.v3.RBAC", rules={"action": "ALLOW", "policies": {}})


def rules(districts: Iterable[District], *, certificates: bool) -> Json:
    """Who is refused although the token is genuine. `certificates`: clients show one, bound to their district."""
    entries = list(districts)
    policies = {
        TOKEN_INVALID: _neither(_municipal(), _of_a_district()),
        DISTRICT_UNKNOWN: _all(_of_a_district(), _not(_district_in(entry.code for entry in entries))),
        DISTRICT_SUSPENDED: _district_in(entry.code for entry in entries if entry.suspended),
    }
    if certificates:
        policies[CERTIFICATE_REFUSED] = _certificate_of_another(entries)
    return _per_route(
        {
            "action": "DENY",
            "policies": {name: {"permissions": [{"any": True}], "principals": [who]} for name, who in policies.items()},
        }
    )


def open_to_all() -> dict[str, Json]:
    """What makes a route answer without a token."""
    without_token = typed("envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig", disabled=True)
    return {FILTER: without_token, RULES_FILTER: typed("envoy.extensions.filters.http.rbac.v3.RBACPerRoute")}


def _per_route(rule: Json) -> Json:
    return typed("envoy.extensions.filters.http.rbac.v3.RBACPerRoute", rbac={"rules": rule})


def _municipal() -> Json:
    return _all(_claim("scope", string_match={"exact": "municipal"}), _claim_absent("district"))


def _of_a_district() -> Json:
    return _all(_claim("district", string_match={"safe_regex": {"regex": "[0-9]{6}"}}), _claim_absent("scope"))


def _district_in(codes: Iterable[str]) -> Json:
    # Not one regular expression of them all: Envoy refuses one that is as long as that of some hundred districts.
    # It wants two alternatives at least; no code is spelled like the first two.
    spelled = [{"string_match": {"exact": code}} for code in ("none", "nobody", *sorted(codes))]
    return _claim("district", or_match={"value_matchers": spelled})


def _certificate_of_another(districts: Iterable[District]) -> Json:
    def shows_another(claim: Json, name: str) -> Json:
        return _all(claim, _not(_certificate(name)))

    return _any(
        shows_another(_municipal(), MUNICIPAL_CERTIFICATE),
        *(
            shows_another(_district_in([entry.code]), DISTRICT_CERTIFICATE.format(code=entry.code))
            for entry in districts
        ),
    )


def _certificate(name: str) -> Json:
    """A verified client certificate with this URI among its alternative names."""
    san = {"san_type": "URI", "matcher": {"exact": name}}
    return {
        "custom": {
            "name": "envoy.rbac.principals.mtls_authenticated",
            "typed_config": typed("envoy.extensions.rbac.principals.mtls_authenticated.v3.Config", san_matcher=san),
        }
    }


def _claim(name: str, **value: Any) -> Json:
    matcher = {"filter": FILTER, "path": claim_path(name), "value": value}
    return {"sourced_metadata": {"metadata_matcher": matcher, "metadata_source": "DYNAMIC"}}


def _claim_absent(name: str) -> Json:
    return _any(_not(_claim(name, present_match=True)), _claim(name, null_match={}))


def _all(*principals: Json) -> Json:
    return {"and_ids": {"ids": list(principals)}}


def _any(*principals: Json) -> Json:
    return {"or_ids": {"ids": list(principals)}}


def _not(principal: Json) -> Json:
    return {"not_id": principal}


def _neither(*principals: Json) -> Json:
    return _not(_any(*principals))
