"""Headgate's operator and its command-line tool.

The packages below point one way (import-linter enforces it): `api`, `stats` and `kube` stand alone; `rollout` decides with `api` and
`stats`; `kserve` and `metrics` translate with `api`; `controller` and `cli` put them together.
"""
