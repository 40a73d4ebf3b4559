#!/usr/bin/env bash
# One Prometheus that scrapes every annotated pod: the gateway's proxies, the operator, the monitor.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Not `kubectl set image`, which would own the image from then on: the second run of this step would be a conflict.
sed "s|image: docker.io/prom/prometheus\$|image: $PROMETHEUS_IMAGE|" tests/e2e/prometheus.yaml | kubectl apply --server-side --filename -
wait_for monitoring prometheus
