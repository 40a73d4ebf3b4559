"""`headgate demo`: quick to say what it does."""

import subprocess
import sys


def test_help_waits_for_nothing_that_the_stories_need() -> None:
    code = "import sys, headgate_devcluster.demo.command; print({'aiohttp', 'pandas', 'matplotlib', 'xgboost'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
