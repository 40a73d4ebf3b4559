"""Points an alias at a version."""
