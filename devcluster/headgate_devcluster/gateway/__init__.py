"""The gateway: a real Envoy, configured from HTTPRoute objects through files it watches."""
