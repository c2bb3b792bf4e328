"""What Envoy answers when it refuses a call itself: the same reason, texts and shape that a service would give.

Envoy describes each refusal by a status and by "response code details". The
table CASES turns these into a reason of errors.proto, and everything that the
caller reads follows from that reason. The first case that fits is taken.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from google.protobuf import json_format
from google.rpc import status_pb2

from chassis.errors import LANGUAGES, Catalogue, Declared, Refusal
from gateway import admission
from gateway.configuration import Json, typed

# Where the filter below notes the content type that a call came in with.
ARRIVAL = "quanyutong.gateway"
ARRIVED_AS = "content_type"
CATALOGUE = Catalogue()
# google.rpc.Code to HTTP, as google/rpc/code.proto says and Envoy's transcoder does.
HTTP_STATUS = {3: 400, 4: 504, 7: 403, 8: 429, 12: 501, 14: 503, 16: 401}
# A faulty body is described by the front desk, which knows what is wrong with it.
DESCRIBED = "ext_authz_denied"


@dataclass(frozen=True)
class Case:
    """A refusal of Envoy's, and the reason that it stands for. `http` replaces the status that the reason implies."""

    reason: str
    when: Json
    http: int = 0


def _details(prefix: str) -> Json:
    expression = f"response.code_details.startsWith('{prefix}')"
    config = typed("envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter", expression=expression)
    return {"extension_filter": {"name": "envoy.access_loggers.extension_filters.cel", "typed_config": config}}


def _refused_by(policy: str) -> Json:
    return _details(f"rbac_access_denied_matched_policy[{policy}]")


def _status(code: int, operator: str = "EQ") -> Json:
    value = {"default_value": code, "runtime_key": "gateway.unused"}
    return {"status_code_filter": {"comparison": {"op": operator, "value": value}}}


CASES = (
    Case("RATE_LIMITED", _status(429)),
    Case("TOKEN_MISSING", _details("jwt_authn_access_denied{Jwt_is_missing")),
    Case("TOKEN_EXPIRED", _details("jwt_authn_access_denied{Jwt_is_expired")),
    Case("SERVICE_UNAVAILABLE", _details("jwt_authn_access_denied{Jwks_remote_fetch")),
    Case("TOKEN_INVALID", _details("jwt_authn_access_denied")),
    Case("TOKEN_INVALID", _refused_by(admission.TOKEN_INVALID)),
    Case("DISTRICT_UNKNOWN", _refused_by(admission.DISTRICT_UNKNOWN)),
    Case("DISTRICT_SUSPENDED", _refused_by(admission.DISTRICT_SUSPENDED)),
    Case("CERTIFICATE_REFUSED", _refused_by(admission.CERTIFICATE_REFUSED)),
    Case("METHOD_UNKNOWN", _status(404), http=404),
    Case("REQUEST_TOO_LARGE", _status(413), http=413),
    Case("DEADLINE_PASSED", _status(408)),
    Case("DEADLINE_PASSED", _status(504)),
    Case("SERVICE_UNAVAILABLE", _status(500, "GE")),
    Case("REQUEST_UNREADABLE", _status(400, "GE")),
)


@dataclass(frozen=True)
class Refused:
    """One reason in one language, ready to be sent through any door."""

    status: status_pb2.Status
    http: int
    retry_seconds: int = 0

    @classmethod
    def of(cls, refusal: Declared, language: str, http: int = 0) -> "Refused":
        status = CATALOGUE.status(refusal, language)
        return cls(status, http or HTTP_STATUS[status.code], CATALOGUE[refusal.reason].retry_seconds)

    @property
    def json(self) -> str:
        """The status as the transcoder writes one that comes from a service."""
        return json.dumps(json_format.MessageToDict(self.status), ensure_ascii=False, separators=(",", ":"))

    @property
    def headers(self) -> dict[str, str]:
        """The status as gRPC carries it."""
        details = base64.b64encode(self.status.SerializeToString()).decode().rstrip("=")
        return {"grpc-status": str(self.status.code), "grpc-status-details-bin": details}


def note_arrival() -> Json:
    """The filter that notes how a call came in, before transcoding hides it."""
    noted = {"metadata_namespace": ARRIVAL, "key": ARRIVED_AS, "type": "STRING"}
    return typed(
        "envoy.extensions.filters.http.header_to_metadata.v3.Config",
        request_rules=[{"header": "content-type", "on_header_present": noted}],
    )


def local_replies() -> Json:
    """Envoy's LocalReplyConfig."""
    return {"mappers": [_untouched(), *_mappers()]}


def _mappers() -> Iterator[Json]:
    english, chinese = LANGUAGES[1], LANGUAGES[0]
    for case in CASES:
        for language, wanted in ((english, [_asks_for("en")]), (chinese, [])):
            refused = Refused.of(Refusal(case.reason), language, case.http)
            # The cheap conditions first: a storm of refused calls evaluates one expression a case, not six.
            yield _over_grpc_web(refused) | _when(_arrived_as("application/grpc-web"), *wanted, case.when)
            yield _over_grpc(refused) | _when(_arrived_as("application/grpc"), *wanted, case.when)
            yield _over_rest(refused) | _when(*wanted, case.when)


def _over_grpc(refused: Refused) -> Json:
    return {"body": {"inline_string": refused.status.message}, "headers_to_add": _set(refused.headers)}


def _over_grpc_web(refused: Refused) -> Json:
    """To Envoy these calls are plain HTTP, so the whole answer is spelled out, as headers without a body."""
    message = {"grpc-message": quote(refused.status.message), "content-type": "application/grpc"}
    return {
        "status_code": 200,
        "body": {"inline_string": ""},
        "headers_to_add": _set(refused.headers | message),
    }


def _over_rest(refused: Refused) -> Json:
    return {
        "status_code": refused.http,
        "body": {"inline_string": refused.json},
        "body_format_override": _JSON,
        **({"headers_to_add": _set({"retry-after": str(refused.retry_seconds)})} if refused.retry_seconds else {}),
    }


def _untouched() -> Json:
    return {"filter": _details(DESCRIBED), "body_format_override": _JSON}


_JSON = {"text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%"}, "content_type": "application/json"}


def _when(*conditions: Json) -> Json:
    only, *others = conditions
    return {"filter": {"and_filter": {"filters": list(conditions)}} if others else only}


def _arrived_as(content_type: str) -> Json:
    value = {"string_match": {"prefix": content_type}}
    matcher = {"filter": ARRIVAL, "path": [{"key": ARRIVED_AS}], "value": value}
    return {"metadata_filter": {"matcher": matcher, "match_if_key_not_found": False}}


def _asks_for(language: str) -> Json:
    match = {"prefix": language, "ignore_case": True}
    return {"header_filter": {"header": {"name": "accept-language", "string_match": match}}}


def _set(headers: dict[str, str]) -> list[Json]:
    return [
        # Envoy reads the value as a format, in which a percent sign begins a command.
        {"header": {"key": key, "value": value.replace("%", "%%")}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        for key, value in headers.items()
    ]
