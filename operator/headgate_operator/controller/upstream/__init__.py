"""Talking to where models come from: the MLflow registry and Kubeflow Pipelines. Plain REST; their SDKs stay out of the operator."""
