"""Writes down what the model answers, so that serving can be asked the same."""
