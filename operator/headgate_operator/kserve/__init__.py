"""Driving KServe in Standard mode: what to write, and how to read the truth. Pure builders and readers; imports only `api`."""
