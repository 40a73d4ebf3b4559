"""A whole cluster on one machine, for development and tests: API server double, KServe stand-in, Envoy gateway."""
