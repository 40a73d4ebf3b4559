"""Compares a model with the one that serves now, on the same rows."""
