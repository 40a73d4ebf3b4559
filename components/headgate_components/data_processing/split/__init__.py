"""Cuts a table into training and evaluation rows."""
