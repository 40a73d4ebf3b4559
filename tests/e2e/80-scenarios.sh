#!/usr/bin/env bash
# Promotion, automatic rollback, a version superseded and one aborted: tests/scenarios.py, as on one machine, now for real.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# The tests are an administrator by a token; kind's own kubeconfig has a certificate.
kubectl apply --server-side --filename tests/e2e/access.yaml
token=$(kubectl create token --namespace default headgate-e2e --duration=2h)
export HEADGATE_E2E_KUBECONFIG="$PWD/build/kind/kubeconfig-with-token"
install -m 600 /dev/null "$HEADGATE_E2E_KUBECONFIG"
kubectl config view --raw --minify --flatten >"$HEADGATE_E2E_KUBECONFIG"
kubectl config set-credentials headgate-e2e --kubeconfig "$HEADGATE_E2E_KUBECONFIG" --token="$token"
kubectl config set-context --current --kubeconfig "$HEADGATE_E2E_KUBECONFIG" --user=headgate-e2e
export HEADGATE_E2E_GATEWAY=http://127.0.0.1:8080 HEADGATE_E2E_MODELS="$PWD/build/kind/models" HEADGATE_E2E_MODELS_URI=pvc://models
make --no-print-directory test ARGS="tests/e2e $*"
