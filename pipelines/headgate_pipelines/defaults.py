"""What the pipelines' parameters are unless somebody says otherwise: the flights example, so that the form in the UI is filled in and runs.

It needs a claim named `headgate` in the namespace, with the flights at `data/flights-2013.parquet`, and an MLflow server; see
docs/pipelines.md.
"""

import json
from typing import Any

import yaml

from headgate_pipelines.flights.periods import months
from headgate_pipelines.recipe import flights_recipe

CLAIM = "headgate"
VOLUME = f"/mnt/{CLAIM}"
SOURCE = f"{VOLUME}/data/flights-2013.parquet"
STORAGE = f"pvc://{CLAIM}/models"
TRACKING_URI = "http://mlflow.mlflow:5000"
MODEL_NAME = "flight-delay"
KUBEFLOW_API = "http://ml-pipeline.kubeflow:8888"


RECIPE = flights_recipe()
SCHEMA = json.dumps(yaml.safe_load(RECIPE.schema_text))
"""On one line: kfp writes defaults into the head of the compiled file as comments, and a second line of one would be no comment."""

TRAIN, EVALUATE, FRESH = (months(*period, year=RECIPE.year, zone=RECIPE.time_zone) for period in ((1, 5), (6, 6), (7, 7)))


def on_volume(task: Any) -> Any:
    """Mounts the claim where the parameters' paths expect it.

    As kfp-kubernetes would write it; that library pins its neighbours for the sake of these two lines. Runs on one machine ignore it.
    """
    mount = {"mountPath": VOLUME, "constant": CLAIM, "pvcNameParameter": {"runtimeValue": {"constant": CLAIM}}}
    task.platform_config.setdefault("kubernetes", {}).setdefault("pvcMount", []).append(mount)
    return task
