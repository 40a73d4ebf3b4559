# shellcheck shell=bash
# Sourced by every step: where things are, which versions, and what to do with a cluster of ours alone.
set -euo pipefail
umask 022 # pods read what we write
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
set -a
# shellcheck source=versions.env
source tests/e2e/versions.env
set +a
# A kubeconfig of our own: no step can touch a cluster that is not the one of 10-cluster.sh.
export KUBECONFIG="$PWD/build/kind/kubeconfig"

fail() {
  echo "headgate: error: $*" >&2
  exit 1
}

# wait_for NAMESPACE DEPLOYMENT: until it is rolled out, and say what its pods complain about if it never is
wait_for() {
  kubectl rollout status --namespace "$1" "deployment/$2" --timeout=5m || {
    kubectl get events --namespace "$1" --field-selector type=Warning
    fail "the deployment $2 in the namespace $1 was not ready within 5 minutes"
  }
}
