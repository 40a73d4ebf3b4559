"""Writes, commits or applies the ModelDeployment of a registered version."""
