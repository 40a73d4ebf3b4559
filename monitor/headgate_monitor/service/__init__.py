"""The monitor as a process: HTTP in front, one worker behind, SQLite below."""
