"""The server process: KServe's `ModelServer` with our listener instead of its own.

KServe binds 0.0.0.0 whatever it is told, opens gRPC, logs three lines a request and lets anybody unload the model over HTTP.
"""

import asyncio
import gc
import logging
import signal
import socket
import sys
import warnings
from types import FrameType

import kserve.model_server
import uvicorn
from kserve import ModelRepository, ModelServer
from kserve.constants.constants import FASTAPI_APP_IMPORT_STRING
from kserve.errors import InferenceError, InvalidInput, ModelNotFound, ModelNotReady
from kserve.protocol.rest.server import RESTServer

from headgate_serving.model import ExportedModel, ModelError, load_model
from headgate_serving.model.parity import difference
from headgate_serving.server.front import Front
from headgate_serving.server.grpc import start_grpc
from headgate_serving.server.model import PredictionModel
from headgate_serving.server.options import Options, ParityPolicy
from headgate_serving.server.service import Service

GRACE_SECONDS = 10
"""How long a stopping server waits for answers under way."""

KEEP_ALIVE_SECONDS = 75
"""Longer than proxies keep idle connections (60 s), so that they close first and never write into a closed one."""

_log = logging.getLogger("headgate.serving")


def serve(options: Options) -> None:
    """Load the model, then listen and answer until SIGTERM or SIGINT.

    Raises:
        ModelError: the folder is incomplete or changed, or the model cannot be served as the options want it.
        OSError: an address cannot be bound.
    """
    _configure_logging()
    model = load_model(options.model_dir)
    service = Service(options.model_name, model, options)
    _check_parity(model, options.parity, service)
    # Bound only now: whoever can connect can be answered, which is all a TCP readiness probe sees.
    listener = socket.create_server((options.host, options.http_port), backlog=1024)
    Server(listener, options).run(service)


class Server(ModelServer):  # type: ignore[misc]  # kserve is untyped
    """KServe's registry, endpoints and metrics behind a socket of our choice."""

    def __init__(self, listener: socket.socket, options: Options) -> None:
        super().__init__(
            http_port=listener.getsockname()[1], registered_models=FixedRepository(), enable_grpc=False, enable_latency_logging=False
        )
        self._listener, self._options = listener, options

    def run(self, service: Service) -> None:
        """Serve one loaded model until a signal."""
        self._register_and_check_atleast_one_model_is_ready([PredictionModel(service)])
        # Only for its endpoints and error handlers: the uvicorn server it also makes is never started.
        RESTServer(FASTAPI_APP_IMPORT_STRING, self.dataplane, self.model_repository_extension, self.http_port).create_application()
        config = uvicorn.Config(
            Front(kserve.model_server.app, service, self._options),
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=GRACE_SECONDS,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        # uvicorn raises the signal again once it has stopped; this makes a wanted end a clean exit.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _exit)
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(self._until_stopped(uvicorn.Server(config), service.name))

    async def _until_stopped(self, http: uvicorn.Server, name: str) -> None:
        grpc = None
        if self._options.grpc_port is not None:
            grpc = await start_grpc(self._options, self.dataplane, self.model_repository_extension)
        host, port = self._listener.getsockname()[:2]
        _set_aside_what_stays()
        _log.info("serving %s on http://%s:%d", name, host, port)
        try:
            await http.serve(sockets=[self._listener])
        finally:
            if grpc is not None:
                await grpc.stop(GRACE_SECONDS)


class FixedRepository(ModelRepository):  # type: ignore[misc]  # kserve is untyped
    """A repository of the one model the process was started for."""

    def unload(self, name: str) -> None:
        """Refuse: KServe offers this over HTTP, on the port that predictions come to."""
        raise InvalidInput(f"model {name} cannot be unloaded; delete its InferenceService instead")


class WithoutAnsweredErrors(logging.Filter):
    """Drops the stack traces KServe logs for errors that the client is told about anyway."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log the record."""
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, InferenceError | InvalidInput | ModelNotFound | ModelNotReady | NotImplementedError)


def _check_parity(model: ExportedModel, policy: ParityPolicy, service: Service) -> None:
    found = None if policy is ParityPolicy.OFF else difference(model)
    service.meter.parity.set(0 if found is None else abs(found.answer - found.golden))
    if found is None:
        return
    if policy is ParityPolicy.REFUSE:
        raise ModelError(str(found))
    _log.warning("%s; it is served because parity differences are only reported here", found)


def _set_aside_what_stays() -> None:
    """Keeps the garbage collector out of what was made until now.

    It lives as long as the process. Walking through it, as every full collection did, took 115 ms in which nobody was answered.
    """
    gc.collect()
    gc.freeze()


def _configure_logging() -> None:
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    _log.setLevel(logging.INFO)
    # KServe's answers use a FastAPI class that says so once a process.
    warnings.filterwarnings("ignore", message="ORJSONResponse is deprecated")
    logging.getLogger("kserve").addFilter(WithoutAnsweredErrors())


def _exit(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)
