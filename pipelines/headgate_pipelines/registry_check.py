"""Asks the model registry before the work: a run that finds it gone after training has trained for nothing."""

from typing import Final

from headgate_components.step import StepError

_SECONDS: Final = 10.0


def check_registry(uri: str) -> None:
    """Ask an MLflow server whether it is well; any other kind of registry is opened by the step that writes into it.

    Whatever it answers below 500 will do: `/health` may be behind a login that the steps know, or a proxy that lacks it.

    Raises:
        StepError: there is no answer, or the server is not well.
    """
    if not uri.startswith(("http://", "https://")):
        return
    import requests

    try:
        answer = requests.get(f"{uri.rstrip('/')}/health", timeout=_SECONDS)
    except requests.RequestException as error:
        why = "it did not answer in time" if isinstance(error, requests.Timeout) else "nothing answers there"
        raise StepError(f"the model registry {uri} cannot be used: {why}; is the MLflow server up, and is that its address?") from error
    if answer.status_code >= 500:
        raise StepError(f"the model registry {uri} cannot be used: it answers HTTP {answer.status_code}; look at the MLflow server's log")
