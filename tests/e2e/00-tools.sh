#!/usr/bin/env bash
# What the other steps need on this machine.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

missing() {
  fail "$1 was not found, which make e2e needs: install it from $2 (make test needs none of this and plays the same scenarios)"
}

command -v docker >/dev/null || missing docker https://docs.docker.com/engine/install
command -v kind >/dev/null || missing kind https://kind.sigs.k8s.io/docs/user/quick-start
command -v kubectl >/dev/null || missing kubectl https://kubernetes.io/docs/tasks/tools
command -v helm >/dev/null || missing helm https://helm.sh/docs/intro/install
docker info >/dev/null 2>&1 || fail "docker is installed, but its daemon does not answer: start it, or join the group docker"
