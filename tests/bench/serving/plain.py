"""KServe's own way of serving XGBoost, as its xgbserver does: a `kserve.Model` that predicts a DMatrix, behind an unchanged `ModelServer`.

`python -m tests.bench.serving.plain FILE PORT`. Only the address differs: loopback.
"""

import sys
from typing import Any

FILE, PORT = sys.argv[1], int(sys.argv[2])
sys.argv = [sys.argv[0], f"--http_port={PORT}", "--enable_grpc=false"]

import uvicorn  # noqa: E402
import xgboost as xgb  # noqa: E402
from kserve import InferRequest, Model, ModelServer  # noqa: E402
from kserve.utils.utils import get_predict_input, get_predict_response  # noqa: E402


class Plain(Model):  # type: ignore[misc]  # kserve is untyped
    """What KServe's xgbserver does."""

    def load(self) -> bool:
        """Read the file."""
        self._booster = xgb.Booster(params={"nthread": 1}, model_file=FILE)
        self.ready = True
        return True

    async def predict(self, payload: InferRequest | dict[str, Any], headers: dict[str, str] | None = None) -> Any:
        """One prediction a request."""
        rows = xgb.DMatrix(get_predict_input(payload), nthread=1)
        return get_predict_response(payload, self._booster.predict(rows), self.name)


class _OnLoopback(uvicorn.Config):
    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **{**settings, "host": "127.0.0.1"})


uvicorn.Config = _OnLoopback  # type: ignore[misc]
model = Plain("m")
model.load()
ModelServer().start([model])
