"""`python -m headgate_operator.cli`: the `headgate` command without its script, for subprocesses and odd installs."""

import sys

from headgate_operator.cli.main import main

sys.exit(main())
