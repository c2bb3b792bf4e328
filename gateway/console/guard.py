"""What holds for every answer and every form of the console, whichever page it is."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE = ("GET", "HEAD")
# Nothing is loaded from elsewhere, no script or style stands in a page, no other site shows one in a frame.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
LARGEST_BODY = 256 * 1024


class Guard:
    """Around the whole application: its headers on every answer; no change asked for by a page of another site."""

    def __init__(self, app: ASGIApp, public_url: str | None) -> None:
        self._app = app
        self._public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        headers = Headers(scope=scope)
        if scope["method"] not in SAFE and not self._of_this_site(headers):
            text = "此请求来自其他网站，已拒绝。 This request comes from another site and is refused.\n"
            await PlainTextResponse(text, 403)(scope, receive, guarded)
        elif int(headers.get("content-length") or 0) > LARGEST_BODY:
            await PlainTextResponse("内容过大。 Too large.\n", 413)(scope, receive, guarded)
        else:
            await self._app(scope, receive, guarded)

    def _of_this_site(self, headers: Headers) -> bool:
        """Browsers name the origin of whatever changes something (Fetch standard, Origin header)."""
        origin = headers.get("origin", "")
        expected = {f"{scheme(headers)}://{headers.get('host', '')}"}
        if self._public_url:
            parts = urlsplit(self._public_url)
            expected.add(f"{parts.scheme}://{parts.netloc}")
        return origin in expected


def scheme(headers: Headers) -> str:
    """How the browser came to the gateway, which says so; nobody else can reach the console."""
    return "https" if headers.get("x-forwarded-proto") == "https" else "http"
