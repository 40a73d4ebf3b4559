"""Compares what a model decides for groups of rows."""
