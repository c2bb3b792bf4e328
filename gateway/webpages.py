"""The routes of the web pages. They carry no token: a page reads its own cookie, and each service asks who looks."""

from collections.abc import Iterable

from chassis.directory import District
from gateway import admission, limits, listener, observing, sizes
from gateway.configuration import Json, typed

NAME = "console"
# A resident's page has the secret of its address in the path; taking and casting a ballot are not told of at all.
HIDDEN = ("/i/",)
UNLOGGED = ("/console/ballot-paper/", "/ballot-box/")
HOME = ("/", "/console")
TIMEOUT = "60s"


def added(table: Json, districts: Iterable[District]) -> Json:
    """The route table with those of the pages before what answers for unknown paths."""
    host = table["virtual_hosts"][0]
    entries = list(districts)
    pages = [
        *(_page({"path": path}) for path in HOME),
        # What a page follows never ends.
        _page({"safe_regex": {"regex": "/console/.*/live"}}, timeout="0s"),
        *(_page({"prefix": prefix}, traced=False) for prefix in UNLOGGED),
        _page({"prefix": "/console/"}),
        _of_residents(entries, "POST", limits.ADDED),
        _of_residents(entries, "GET", limits.READ),
    ]
    known, unknown = _parted(host["routes"])
    return {**table, "virtual_hosts": [{**host, "routes": [*known, *pages, *unknown]}]}


def _parted(routes: list[Json]) -> tuple[list[Json], list[Json]]:
    at = next(index for index, route in enumerate(routes) if "direct_response" in route)
    return routes[:at], routes[at:]


def _page(match: Json, *, timeout: str = TIMEOUT, traced: bool = True) -> Json:
    return {
        "match": match,
        "route": {"cluster": NAME, "timeout": timeout, "idle_timeout": "0s"},
        "typed_per_filter_config": {**admission.open_to_all(), listener.TRANSCODER: _NO_FILTER},
        **({} if traced else {"tracing": {f"{kind}_sampling": {"numerator": 0} for kind in _SAMPLINGS}}),
    }


# It would look for an RPC of that path.
_NO_FILTER = typed("envoy.config.route.v3.FilterConfig", disabled=True)
_SAMPLINGS = ("client", "random", "overall")


def _of_residents(districts: list[District], verb: str, most: limits.Most) -> Json:
    """The pages without a login: as many calls as the same addresses take by the API."""
    page = _page({"prefix": HIDDEN[0], "headers": [{"name": ":method", "string_match": {"exact": verb}}]})
    return {
        **page,
        "tracing": {
            "operation": observing.WITHHELD,
            "custom_tags": [{"tag": "http.url", "literal": {"value": observing.WITHHELD}}],
        },
        "typed_per_filter_config": {
            **page["typed_per_filter_config"],
            limits.FILTER: limits.addresses(districts, HIDDEN, most),
            sizes.FILTER: sizes.at_address(),
        },
    }
