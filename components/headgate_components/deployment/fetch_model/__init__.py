"""Fetches a registered version for the steps of another pipeline."""
