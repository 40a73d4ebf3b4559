"""Registers a model and exports it for serving."""
