"""A double of the Kubernetes API server, for development and tests."""

from headgate_devcluster.apiserver.server import ApiServer

__all__ = ["ApiServer"]
