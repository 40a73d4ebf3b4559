// Published definitions that manifests/overlays are checked against. Nothing of these modules is compiled: `make cluster-binaries` takes
// files out of them, which go.sum vouches for.
module headgate.dev/tests/definitions

go 1.25.0

require (
	github.com/envoyproxy/gateway v1.9.1
	github.com/prometheus-operator/prometheus-operator v0.85.0
	sigs.k8s.io/gateway-api v1.6.1
)
