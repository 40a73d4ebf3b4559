"""Compiles pipelines to the YAML that Kubeflow Pipelines takes, as an upload or as Kubernetes objects for GitOps."""

import hashlib
from importlib.metadata import version
from pathlib import Path

from kfp import compiler
from kfp.compiler.compiler_utils import KubernetesManifestOptions

from headgate_pipelines.batch import batch_score
from headgate_pipelines.training import training
from headgate_pipelines.validation import validation

PIPELINES = {"training": training, "validation": validation, "batch-score": batch_score}
_DIGITS = 8


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


def write_manifest(name: str, path: Path, namespace: str) -> None:
    """Writes a Pipeline and its PipelineVersion as Kubernetes objects, for an API server that keeps its pipelines there.

    A version's spec cannot be changed, so its name says what it holds.

    Raises:
        ValueError: the name does not end in .yaml.
        OSError: the file cannot be written.
    """
    write_compiled(name, path)
    options = KubernetesManifestOptions(
        pipeline_name=name,
        pipeline_version_name=version_name(name, path.read_text(encoding="utf-8")),
        namespace=namespace,
        include_pipeline_manifest=True,
    )
    compiler.Compiler().compile(PIPELINES[name], str(path), kubernetes_manifest_format=True, kubernetes_manifest_options=options)


def version_name(name: str, compiled: str) -> str:
    """Such as training-0.1.0-3f9a1c02: the release, and the hash of what was compiled."""
    return f"{name}-{version('headgate')}-{hashlib.sha256(compiled.encode()).hexdigest()[:_DIGITS]}"
