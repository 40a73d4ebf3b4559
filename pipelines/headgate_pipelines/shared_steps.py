"""Steps that several pipelines have in common, in the order in which they run."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kfp import dsl

from headgate_components.data_processing.ingest.component import ingest
from headgate_components.data_processing.validate_data.component import validate_data
from headgate_components.deployment.summarize_run.component import summarize_run
from headgate_components.evaluation.compare_to_champion.component import compare_to_champion
from headgate_components.evaluation.gate.component import gate
from headgate_pipelines.defaults import on_volume


@contextmanager
def summarized(pipeline: str, kubeflow_api: Any) -> Iterator[None]:
    """Around all steps: leaves a summary of the run, also when a step fails or a gate stops it."""
    summary = summarize_run(pipeline=pipeline, run=dsl.PIPELINE_JOB_ID_PLACEHOLDER, kubeflow_api=kubeflow_api)
    summary.set_caching_options(False)
    with dsl.ExitHandler(summary, name=pipeline):
        yield


def checked_data(*, source: Any, digest: Any, schema: Any) -> tuple[Any, Any]:
    """The step that reads the data, and the gate that stops the run if they do not fit the schema."""
    ingested = on_volume(ingest(source=source, digest=digest))
    validated = validate_data(table=ingested.outputs["table"], schema=schema)
    return ingested, gate(problems=validated.outputs["Output"], subject="the data")


def against_champion(*, problems: Any, more_problems: Any, **compared_with: Any) -> tuple[Any, Any]:
    """The comparison with the champion, and the gate that stops a model which is not good enough.

    Args:
        problems: What an earlier step found wrong with the model.
        more_problems: What another one did.
        **compared_with: The inputs of compare_to_champion.
    """
    compared = on_volume(compare_to_champion(**compared_with)).set_caching_options(False)
    verdict, reason = compared.outputs["verdict"], compared.outputs["reason"]
    return compared, gate(problems=problems, more_problems=more_problems, verdict=verdict, reason=reason, subject="the model")
