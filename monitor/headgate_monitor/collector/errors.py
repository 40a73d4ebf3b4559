"""What can be wrong with something that was sent; every message is one sentence for a person."""


class MalformedError(ValueError):
    """An event or a body that cannot be read. `kind` is a short name to count it by."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
