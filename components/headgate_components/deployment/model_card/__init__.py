"""Writes down what a model is, for people."""
