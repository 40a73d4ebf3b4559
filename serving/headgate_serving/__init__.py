"""Serving: the exported model (`model`, shared with training) and the KServe model server that answers with it (`server`)."""
