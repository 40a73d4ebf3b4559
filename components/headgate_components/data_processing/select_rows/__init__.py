"""Selects the rows that a registered model can be judged by."""
