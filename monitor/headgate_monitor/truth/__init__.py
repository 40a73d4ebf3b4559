"""What labels that arrive later say about predictions: pure. Losses, a sequential test between two versions, skill over time."""
