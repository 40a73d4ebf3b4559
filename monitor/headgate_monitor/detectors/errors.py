"""What can go wrong with a drift reference or a window; every message is one sentence for a person."""


class DriftError(ValueError):
    """Rows that cannot be compared, or a reference that must not be used."""
