"""Trains a gradient-boosted classifier."""
