"""Stops a pipeline when an earlier step found problems."""
