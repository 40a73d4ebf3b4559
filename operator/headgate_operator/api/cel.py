"""Writing CEL, the language of an API server's rules."""


def matches(pattern: str) -> str:
    """Return the CEL expression that a string matches a regular expression somewhere; in CEL strings a backslash is doubled."""
    return "self.matches('" + pattern.replace("\\", "\\\\") + "')"
