#!/usr/bin/env bash
# Headgate's own images, built from this checkout and handed to the node: the overlay pulls none of them.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

CONTAINER=docker make --no-print-directory images ARGS="operator monitor serving"
kubectl kustomize manifests/overlays/kind | sed -n 's|.*image: \(.*/headgate-.*\)|\1|p' | sort --unique |
  xargs kind load docker-image --name headgate
