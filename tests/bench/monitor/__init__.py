"""The drift monitor: how fast windows are judged beside other tools, how often its verdicts are right, how many events it takes in."""

from tests.bench.monitor import detectors, ingest, truths
from tests.bench.report import Report


def run(*, quick: bool) -> Report:
    """Measure all three."""
    parts = [detectors.run(quick=quick), truths.run(quick=quick), ingest.run(quick=quick)]
    return Report(tables=[table for part in parts for table in part.tables], missed=[missed for part in parts for missed in part.missed])
