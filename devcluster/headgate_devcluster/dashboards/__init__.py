"""What Grafana and Prometheus are given: dashboards and alert rules, made here and kept in `manifests`.

`make dashboards` writes them; a test compares. A dashboard is a module of data (`rollouts`, `operator`, `serving`, `drift`, `pipelines`);
only `grafana` knows Grafana's format. Nothing here knows a cluster.
"""
