"""How XGBoost's threads wait for each other."""

import os
from typing import Final

WAIT_POLICY: Final = "OMP_WAIT_POLICY"
PASSIVE: Final = "PASSIVE"
"""They otherwise spin while they wait, which makes training ten times slower where others compute, too."""


def wait_passively() -> None:
    """Lets threads sleep while they wait, unless the environment says otherwise; before XGBoost is loaded, which reads it once."""
    os.environ.setdefault(WAIT_POLICY, PASSIVE)
