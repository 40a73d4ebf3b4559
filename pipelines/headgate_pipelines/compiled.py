"""Compiles pipelines to the YAML that Kubeflow Pipelines takes."""

from pathlib import Path

from kfp import compiler

from headgate_pipelines.training import training

PIPELINES = {"training": training}


def write_compiled(name: str, path: Path) -> None:
    """Writes a pipeline's YAML.

    Raises:
        OSError: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    compiler.Compiler().compile(PIPELINES[name], str(path))
