"""The weather that rollouts have to come through: errors, lost answers and delays on every kind of request."""

import os

from headgate_devcluster.apiserver.faults import Effect, Fault, Moment
from tests.witness import WRITES

EVERY_CALL = "HEADGATE_EVERY_CALL" in os.environ
"""Whether time does not matter: `make crash-tests`."""
STORM = (
    Fault(effect=Effect.ERROR, code=409, verbs=frozenset({"update", "patch"}), probability=0.2),
    Fault(effect=Effect.ERROR, code=409, verbs=frozenset({"update", "patch"}), probability=0.1, moment=Moment.AFTER),
    Fault(effect=Effect.ERROR, code=429, retry_after=1, probability=0.05),
    Fault(effect=Effect.ERROR, code=500, probability=0.05),
    Fault(effect=Effect.ERROR, code=504, probability=0.05, moment=Moment.AFTER),
    Fault(effect=Effect.DROP, verbs=frozenset(WRITES), probability=0.1, moment=Moment.AFTER),
    Fault(effect=Effect.LATENCY, delay=0.3, probability=0.2),
)
