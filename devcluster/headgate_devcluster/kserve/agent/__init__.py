"""KServe's agent: the sidecar that stands in the request path and sends what passes to a log sink as CloudEvents.

What the real one does, faults included, where a collector or an operator can tell: requests are logged whatever comes of them, responses
only when they are 200, and a response event carries the *request's* content type. What it loses it loses silently, but it keeps its queue
within bounds (the real one before KServe's fix #6173 did not, and took the model server down with it).
"""
