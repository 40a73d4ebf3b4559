#!/usr/bin/env bash
# A Kubernetes in one container. The folder of models must be there before it is mounted: Docker would make it root's.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

mkdir -p build/kind/models
if ! kind get clusters | grep --quiet --line-regexp headgate; then
  kind create cluster --config kind-config.yaml --image "$KIND_NODE_IMAGE" --wait 3m
fi
kind export kubeconfig --name headgate --kubeconfig "$KUBECONFIG"
