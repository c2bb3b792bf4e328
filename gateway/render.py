"""Puts Envoy's configuration together, in the two forms that it is needed in.

`files` is the running form: a bootstrap that never changes, and beside it one
file for each part that Envoy takes anew while it runs. `standalone` is the same
in one piece, the only form that `envoy --mode validate` looks at closely.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from chassis.directory import District
from chassis.settings import Settings
from gateway import admission, clusters, listener, observing, routes, tls, webpages
from gateway.addresses import hidden_prefixes, traceless_paths
from gateway.configuration import Json, from_file, resources, typed
from gateway.upstream import Upstream, methods

# Far above what districts need, far below what a process can hold.
CONNECTIONS_AT_ONCE = 10_000
EXTENSION = "envoy.config.core.v3.TypedExtensionConfig"


@dataclass(frozen=True)
class Plan:
    """Everything that the configuration follows from.

    `keys` is the JWKS itself or its https URL, `listen`, `frontdesk` and
    `console` are host:port, `traces` is an OTLP endpoint, `admin` the path of Envoy's own socket.
    """

    settings: Settings
    upstreams: tuple[Upstream, ...]
    districts: tuple[District, ...]
    keys: str
    listen: str
    frontdesk: str
    frontdesk_services: tuple[str, ...]
    admin: Path
    console: str | None = None
    traces: str | None = None
    secrets_inline: bool = True

    def standalone(self) -> Json:
        """The whole configuration as one bootstrap."""
        token = {"typed_config": admission.token_filter(self.settings, self.keys)}
        return self._bootstrap() | {
            "static_resources": {
                "listeners": [self._listener({"route_config": self._routes()}, token, None)],
                "clusters": self._clusters(),
                "secrets": self._secrets(),
            }
        }

    def files(self, folder: Path) -> dict[str, str]:
        """The configuration as files in `folder`, by name. Envoy is started with `bootstrap.json`."""

        def place(name: str) -> Json:
            return from_file(str(folder / f"{name}.json"))

        routes_there = {"rds": {"route_config_name": routes.NAME, "config_source": place("routes")}}
        discovery = {"config_source": place("tokens"), "type_urls": [typed(admission.TOKEN_FILTER_TYPE)["@type"]]}
        public = self._listener(routes_there, {"config_discovery": discovery}, place)
        discovered = {"lds_config": place("listener"), "cds_config": place("clusters")}
        made = {
            "bootstrap.json": self._bootstrap() | {"dynamic_resources": discovered},
            "listener.json": resources(listener.TYPE, public),
            "routes.json": resources(routes.TYPE, self._routes()),
            "clusters.json": resources(clusters.TYPE, *self._clusters()),
            "tokens.json": resources(EXTENSION, self._token_filter()),
            # Envoy wants a file for each secret.
            **{f"{secret['name']}.json": resources(tls.TYPE, secret) for secret in self._secrets()},
        }
        return {name: json.dumps(content, ensure_ascii=False, indent=1) + "\n" for name, content in made.items()}

    def _bootstrap(self) -> Json:
        return {
            "node": {"id": "gateway", "cluster": "quanyutong"},
            # A socket that only this user can open: who reaches it can stop the gateway.
            "admin": {"address": {"pipe": {"path": str(self.admin), "mode": 0o600}}},
            "overload_manager": {"resource_monitors": [_CONNECTIONS]},
        }

    def _listener(self, routes_source: Json, token: Json, secrets: tls.Place | None) -> Json:
        services = [service for upstream in self.upstreams for service in upstream.services]
        filters = listener.filters(token, services)
        served = [method for _, method in methods(self.upstreams)]
        return listener.listener(
            self.listen,
            self.settings,
            routes_source,
            filters,
            secrets,
            hidden=[*hidden_prefixes(served), *webpages.HIDDEN],
            unlogged=[*traceless_paths(served), *webpages.UNLOGGED],
            traced=self.traces is not None,
        )

    def _token_filter(self) -> Json:
        config = admission.token_filter(self.settings, self.keys)
        return {"name": admission.FILTER, "typed_config": config}

    def _routes(self) -> Json:
        table = routes.routes(self.upstreams, self.frontdesk_services, self.districts, self.settings)
        return webpages.added(table, self.districts) if self.console else table

    def _clusters(self) -> list[Json]:
        made = clusters.upstream_clusters(self.upstreams)
        made.append(clusters.grpc_cluster(routes.FRONTDESK, [self.frontdesk]))
        if self.console:
            made.append(clusters.peer_cluster(webpages.NAME, f"http://{self.console}", 80))
        if self.keys.startswith("https://"):
            made.append(clusters.peer_cluster(admission.KEYS_CLUSTER, self.keys, 443))
        if self.traces is not None:
            made.append(clusters.peer_cluster(observing.TRACES_CLUSTER, self.traces, 4317, grpc=True))
        return made

    def _secrets(self) -> list[Json]:
        return tls.secrets(self.settings, inline=self.secrets_inline)


_CONNECTIONS = {
    "name": "envoy.resource_monitors.global_downstream_max_connections",
    "typed_config": typed(
        "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
        max_active_downstream_connections=CONNECTIONS_AT_ONCE,
    ),
}
