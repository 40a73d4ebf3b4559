#!/usr/bin/env bash
# Headgate, its monitor and gateway, and a volume of models, as anybody would install them.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

kubectl apply --server-side --kustomize manifests/overlays/kind
wait_for headgate-system headgate-operator
kubectl rollout status --namespace ml statefulset/headgate-monitor --timeout=5m
kubectl wait --namespace kserve gateway/kserve-ingress-gateway --for=condition=Programmed --timeout=5m
