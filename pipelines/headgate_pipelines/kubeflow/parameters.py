"""Parameters as people write them, in the types that a pipeline declares: the API server compares types and refuses the run."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from headgate_components.step import StepError

_CHECKS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "STRING": ("a text", lambda value: isinstance(value, str)),
    "NUMBER_INTEGER": ("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    "NUMBER_DOUBLE": ("a number", lambda value: isinstance(value, int | float) and not isinstance(value, bool)),
    "BOOLEAN": ("true or false", lambda value: isinstance(value, bool)),
    "LIST": ("a list such as [a, b]", lambda value: isinstance(value, list)),
    "STRUCT": ("a mapping", lambda value: isinstance(value, dict)),
}


def read_file(path: Path) -> dict[str, Any]:
    """The parameters in a YAML file.

    Raises:
        StepError: the file cannot be read or is no mapping.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())
        raise StepError(f"the parameters '{path}' cannot be read: {reason}") from error
    if not isinstance(content, dict):
        raise StepError(f"the parameters '{path}' must be a mapping of names to values")
    return content


def typed(declared: Mapping[str, str], given: Mapping[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """The parameters, checked; later ones win.

    Args:
        declared: the type of each parameter, as in a compiled pipeline.
        given: values by name.
        settings: `name=value`, the value as YAML unless the parameter is a text.

    Raises:
        StepError: names the parameter and what is allowed.
    """
    found = dict(given)
    for setting in settings:
        name, separator, text = setting.partition("=")
        if not separator:
            raise StepError(f"'{setting}' does not set a parameter; give NAME=VALUE")
        found[name] = text if declared.get(name) == "STRING" else _parsed(name, text)
    for name, value in found.items():
        if name not in declared:
            raise StepError(f"the pipeline has no parameter '{name}'; it has {', '.join(sorted(declared))}")
        wanted, met = _CHECKS[declared[name]]
        if not met(value):
            raise StepError(f"the parameter '{name}' must be {wanted}, found {value!r}")
        if declared[name] == "NUMBER_DOUBLE":
            found[name] = float(value)  # kfp refuses 10 where it wants 10.0
    return found


def types_of(pipeline: Any) -> dict[str, str]:
    """The types of a pipeline's parameters, from what `@dsl.pipeline` returned."""
    parameters = pipeline.pipeline_spec.root.input_definitions.parameters
    return {
        name: definition.DESCRIPTOR.fields_by_name["parameter_type"].enum_type.values_by_number[definition.parameter_type].name
        for name, definition in parameters.items()
    }


def declared_types(spec: Mapping[str, Any]) -> dict[str, str]:
    """The types of a compiled pipeline's parameters."""
    parameters = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    return {name: str(definition["parameterType"]) for name, definition in parameters.items()}


def _parsed(name: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise StepError(f"the parameter '{name}' has a value that is not valid YAML: {' '.join(str(error).split())}") from error
