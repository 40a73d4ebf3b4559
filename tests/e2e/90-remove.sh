#!/usr/bin/env bash
# The cluster and all in it. `make e2e` leaves it up, to look around in.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

kind delete cluster --name headgate --kubeconfig "$KUBECONFIG"
rm -rf build/kind
