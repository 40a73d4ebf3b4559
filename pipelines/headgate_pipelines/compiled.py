"""Compiles pipelines to the YAML that Kubeflow Pipelines takes."""

from pathlib import Path

from kfp import compiler

from headgate_pipelines.training import training

PIPELINES = {"training": training}


def write_compiled(name: str, path: Path) -> None:
    """Writes a pipeline's YAML.

    Raises:
        ValueError: the name does not end in .yaml, which kfp asks for.
        OSError: the file cannot be written.
    """
    if path.suffix != ".yaml":
        raise ValueError(f"cannot write '{path}': the name of a compiled pipeline must end in .yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    compiler.Compiler().compile(PIPELINES[name], str(path))
