"""Learns the feature artifact that training and serving share."""
