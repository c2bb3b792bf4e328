"""Every door of the platform: renders Envoy's configuration from what is declared elsewhere, and runs Envoy.

What is declared: `google.api.http` and `idempotency_level` in the protos, the
reasons in `errors.proto`, the settings, the district directory, the key set.
Nothing here proxies a byte, holds a table or knows a rule of a service; roles
are judged by the services, which verify every token again.
"""
