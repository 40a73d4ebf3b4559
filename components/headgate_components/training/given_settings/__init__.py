"""Says that there are no better settings than those given."""
