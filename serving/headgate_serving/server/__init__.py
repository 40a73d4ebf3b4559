"""The KServe model server for exported models: V1 and V2 over REST, quiet, one thread of arithmetic."""
