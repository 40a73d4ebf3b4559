"""Says which features move the predictions, and by how much."""
