"""Shows what a model's features are worth, beside simpler models."""
