"""Checks a table before anything is learnt from it."""
