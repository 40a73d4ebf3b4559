"""Looks for good training settings."""
