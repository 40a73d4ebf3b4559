"""The subcommands of `headgate dev`, one a file."""
