#!/usr/bin/env bash
# One Prometheus that scrapes every annotated pod: the gateway's proxies, the operator, the monitor.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

kubectl apply --server-side --filename tests/e2e/prometheus.yaml
kubectl set image --namespace monitoring deployment/prometheus "prometheus=$PROMETHEUS_IMAGE"
wait_for monitoring prometheus
