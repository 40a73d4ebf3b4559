"""The library versions a model was made with, to explain a difference where it is served."""

from importlib.metadata import version

LIBRARIES = ("headgate", "xgboost-cpu", "numpy")


def library_versions() -> dict[str, str]:
    """Distribution name to version."""
    return {name: version(name) for name in LIBRARIES}
