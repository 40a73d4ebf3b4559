#!/usr/bin/env bash
# KServe in Standard mode: Deployments and Services, no Knative and no Istio. Headgate writes the routes, so KServe needs no ingress.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

helm upgrade --install kserve-crd oci://ghcr.io/kserve/charts/kserve-crd --version "$KSERVE_VERSION" --namespace kserve --create-namespace
helm upgrade --install kserve oci://ghcr.io/kserve/charts/kserve-resources --version "$KSERVE_VERSION" --namespace kserve \
  --set kserve.controller.deploymentMode=Standard \
  --set kserve.controller.gateway.disableIngressCreation=true \
  --set kserve.controller.gateway.ingressGateway.enableGatewayApi=true \
  --set kserve.controller.gateway.ingressGateway.createGateway=false \
  --set kserve.controller.gateway.ingressGateway.kserveGateway=kserve/kserve-ingress-gateway
wait_for kserve kserve-controller-manager
