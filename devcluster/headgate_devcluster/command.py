"""`headgate dev`: a cluster to try things in."""

import click

from headgate_devcluster.dev.down import down
from headgate_devcluster.dev.inject import inject
from headgate_devcluster.dev.logs import logs
from headgate_devcluster.dev.status import status
from headgate_devcluster.dev.up import up


@click.group()
def dev() -> None:
    """A whole cluster in one process tree, for development: API server and KServe are doubles, Envoy and model servers are real."""


for command in (up, down, status, logs, inject):
    dev.add_command(command)
