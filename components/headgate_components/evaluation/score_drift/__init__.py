"""Compares rows with the drift reference of a model."""
