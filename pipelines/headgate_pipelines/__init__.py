"""Pipelines assembled from the components, the worked flights example, and the command that compiles and runs them."""
