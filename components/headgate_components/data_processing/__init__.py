"""Components that read, check and cut data."""
