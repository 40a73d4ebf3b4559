"""The compiled pipeline is the one that was reviewed."""

import re
import subprocess
import sys
from pathlib import Path

import yaml

from headgate_pipelines.compiled import write_compiled

GOLDEN = Path(__file__).parents[2] / "fixtures" / "pipelines" / "training.yaml"
REWRITE = "headgate pipeline compile training --output tests/fixtures/pipelines/training.yaml"


def normalised(path: Path) -> str:
    """Without what changes with every release: the SDK's version and the image's tag."""
    text = re.sub(r"sdkVersion: \S+", "sdkVersion: any", path.read_text())
    return re.sub(r"(image: ghcr\.io/headgate/headgate-python):\S+", r"\1:any", text)


def test_the_training_pipeline_compiles_to_the_committed_yaml(tmp_path: Path) -> None:
    write_compiled("training", tmp_path / "training.yaml")
    assert normalised(tmp_path / "training.yaml") == normalised(GOLDEN), f"if the change is meant, run `{REWRITE}`"


def test_compiling_gives_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    code = "import sys, pathlib; from headgate_pipelines import compiled; compiled.write_compiled('training', pathlib.Path(sys.argv[1]))"
    for name in ("a.yaml", "b.yaml"):
        subprocess.run([sys.executable, "-c", code, str(tmp_path / name)], check=True, timeout=60)
    assert (tmp_path / "a.yaml").read_bytes() == (tmp_path / "b.yaml").read_bytes()


def test_registering_is_never_cached_and_comes_after_both_gates() -> None:
    pipeline = next(yaml.safe_load_all(GOLDEN.read_text()))
    tasks = pipeline["root"]["dag"]["tasks"]
    cached = {name: task["cachingOptions"].get("enableCache", False) for name, task in tasks.items()}
    assert [name for name, enabled in cached.items() if not enabled] == ["register-model"]
    reached, waiting = set(), ["register-model"]
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting += [before for before in tasks[name].get("dependentTasks", []) if before not in reached]
    assert reached == set(tasks)
