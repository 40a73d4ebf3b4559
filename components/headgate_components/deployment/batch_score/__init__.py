"""Scores a file of any size."""
