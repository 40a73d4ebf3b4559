"""Drift: references fitted with a model, and detectors that compare what it meets with them."""
