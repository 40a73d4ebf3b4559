#!/usr/bin/env bash
# The Gateway API's definitions and what carries them out. The Gateway itself is in manifests/overlays/kind.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

helm upgrade --install envoy-gateway oci://docker.io/envoyproxy/gateway-helm --version "$ENVOY_GATEWAY_VERSION" \
  --namespace envoy-gateway-system --create-namespace
wait_for envoy-gateway-system envoy-gateway
