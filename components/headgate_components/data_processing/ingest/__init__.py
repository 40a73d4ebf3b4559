"""Brings a file into the pipeline."""
