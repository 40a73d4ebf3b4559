"""Components that hand a model over to serving."""
