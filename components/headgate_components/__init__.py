"""Reusable Kubeflow Pipelines components; each `<category>/<name>/component.py` is a thin adapter over a plain function beside it."""
