#!/usr/bin/env bash
# Certificates of KServe's web hooks.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

kubectl apply --server-side --filename "https://github.com/cert-manager/cert-manager/releases/download/$CERT_MANAGER_VERSION/cert-manager.yaml"
wait_for cert-manager cert-manager-cainjector # without which nobody trusts the web hook
wait_for cert-manager cert-manager-webhook
