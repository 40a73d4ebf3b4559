"""`headgate crd`: the CustomResourceDefinition, as it is committed under manifests/crd/."""

import click

from headgate_operator.api.crd import crd as definition
from headgate_operator.api.crd import crd_yaml
from headgate_operator.cli.output import Format, output_option, show


@click.command()
@output_option(Format.YAML, Format.JSON)
def crd(output: Format) -> None:
    """Print the CustomResourceDefinition: `headgate crd | kubectl apply --server-side -f -`."""
    if output is Format.JSON:
        show(definition(), output)
    else:
        click.echo(crd_yaml(), nl=False)
