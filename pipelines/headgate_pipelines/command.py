"""`headgate pipeline`: compiles the pipelines, runs them on this machine, and submits and schedules them on a cluster.

Everything heavy is imported when a subcommand runs: `headgate --help` must not wait for kfp.
"""

from pathlib import Path

import click

from headgate_pipelines.cluster_command import schedule, submit
from headgate_pipelines.errors import PipelineFailure
from headgate_pipelines.names import PIPELINES
from headgate_pipelines.run_command import run


# As under `headgate`; click remembers a command's help option from wherever it was asked for first.
@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def pipeline() -> None:
    """Compile the pipelines for a Kubeflow cluster, run them on this machine, or submit and schedule them."""


@pipeline.command("compile")
@click.argument("name", type=click.Choice(PIPELINES), default="training")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The YAML file to write.")
@click.option("--manifest", is_flag=True, help="As Kubernetes objects (Pipeline, PipelineVersion), for GitOps.")
@click.option("--namespace", default="kubeflow", show_default=True, help="Namespace of the Kubernetes objects.")
def compile_pipeline(name: str, output: Path, *, manifest: bool, namespace: str) -> None:
    """Write a pipeline as the YAML that Kubeflow Pipelines takes."""
    from headgate_pipelines.compiled import write_compiled, write_manifest

    try:
        if manifest:
            write_manifest(name, output, namespace)
        else:
            write_compiled(name, output)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        raise PipelineFailure(f"cannot write '{output}': {error.strerror}") from error
    click.echo(f"headgate: wrote {output}")


pipeline.add_command(run)
pipeline.add_command(submit)
pipeline.add_command(schedule)
