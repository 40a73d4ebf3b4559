"""The audit log: who or what changed traffic, from which evidence, as append-only JSON lines. docs/audit.md has the format."""
