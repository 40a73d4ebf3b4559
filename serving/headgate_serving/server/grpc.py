"""KServe's V2 over gRPC, on an address of our choice.

KServe's own server binds every interface, and a port that another process has: gRPC shares ports silently (SO_REUSEPORT), and half of the
requests go astray. It also logs a line a request.
"""

from grpc import aio
from kserve.protocol.dataplane import DataPlane
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import add_GRPCInferenceServiceServicer_to_server
from kserve.protocol.grpc.interceptors import ExceptionToStatusInterceptor
from kserve.protocol.grpc.servicer import InferenceServicer
from kserve.protocol.model_repository_extension import ModelRepositoryExtension

from headgate_serving.server.options import Options


async def start_grpc(options: Options, dataplane: DataPlane, repository: ModelRepositoryExtension) -> aio.Server:
    """A server that answers on `options.grpc_port`; requests beyond the bound are refused with RESOURCE_EXHAUSTED.

    Raises:
        OSError: the address cannot be bound.
    """
    server = aio.server(
        interceptors=(ExceptionToStatusInterceptor(),),
        options=[
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", options.max_body),
            ("grpc.max_send_message_length", options.max_body),
        ],
        maximum_concurrent_rpcs=options.max_concurrency,
    )
    add_GRPCInferenceServiceServicer_to_server(InferenceServicer(dataplane, repository), server)
    host = f"[{options.host}]" if ":" in options.host else options.host
    try:
        server.add_insecure_port(f"{host}:{options.grpc_port}")
    except RuntimeError as error:
        raise OSError(None, f"the gRPC address {host}:{options.grpc_port} cannot be bound") from error
    await server.start()
    return server
