"""The worked example on real data: every flight that left New York in 2013, and the weather. See `examples/flights`."""

from headgate_pipelines.flights.breakage import break_base_score
from headgate_pipelines.flights.periods import Period, months
from headgate_pipelines.flights.prepare import prepare
from headgate_pipelines.flights.replay import FlightRequest, requests
from headgate_pipelines.flights.source import FlightsError
from headgate_pipelines.flights.table import CATEGORIES, FEATURES, ID, LABEL, NUMBERS, TIME, load

__all__ = [
    "CATEGORIES",
    "FEATURES",
    "ID",
    "LABEL",
    "NUMBERS",
    "TIME",
    "FlightRequest",
    "FlightsError",
    "Period",
    "break_base_score",
    "load",
    "months",
    "prepare",
    "requests",
]
