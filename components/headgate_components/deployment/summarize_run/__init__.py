"""Leaves a summary of a run, however it ended."""
