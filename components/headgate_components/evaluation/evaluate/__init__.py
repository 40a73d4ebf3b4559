"""Measures a model on rows from after its training."""
