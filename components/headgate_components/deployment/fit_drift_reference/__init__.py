"""Fits what drift is measured against."""
