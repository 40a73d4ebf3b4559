"""Windows of live rows and what they say: pure. No clock, no I/O: times come as arguments, rows as arrays."""
