"""Metric providers: where request counters come from. Async I/O with timeouts; imports only `api`."""
