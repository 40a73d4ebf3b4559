"""E-processes for comparing two versions by counts. Pure: no I/O, no clock, nothing of ours imported."""
