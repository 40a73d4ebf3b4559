"""Is what we want already there? Servers and webhooks add fields and rewrite numbers; a write for nothing costs as much as a change."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

_UNITS: Mapping[str, Decimal] = {
    **{unit: Decimal(1000) ** power for unit, power in (("n", -3), ("u", -2), ("m", -1), ("", 0), ("k", 1), ("M", 2), ("G", 3), ("T", 4))},
    **{unit: Decimal(1024) ** power for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi"), 1)},
}
_QUANTITIES = frozenset({"limits", "requests"})
_NAMED_LISTS = frozenset({"env", "ownerReferences"})
"""Lists that others may add entries to: KServe its environment, an adopter its reference."""


def is_subset(desired: Any, observed: Any) -> bool:
    """Whether every desired field is in the observed object with that value.

    Lists match item by item, except those that others may add to. Resource quantities match by amount: a webhook turns `1000m` into `1`.
    """
    if isinstance(desired, dict):
        if not isinstance(observed, dict):
            return False
        for key, value in desired.items():  # noqa: SIM110 (the busiest loop of a pass: a generator would double it)
            if not _field_is_there(key, value, observed):
                return False
        return True
    if isinstance(desired, list):
        return isinstance(observed, list) and len(desired) == len(observed) and all(map(is_subset, desired, observed))
    return bool(desired == observed) and isinstance(desired, bool) == isinstance(observed, bool)


def _field_is_there(key: str, desired: Any, observed: Mapping[str, Any]) -> bool:
    there = observed.get(key)
    if there is None:
        return desired in (None, {}, [], "")  # KServe's webhook, being Go, leaves out what is empty: `value: ""` of a variable
    if key in _QUANTITIES and isinstance(desired, dict) and isinstance(there, dict):
        return all(name in there and _amount(value) == _amount(there[name]) for name, value in desired.items())
    if key in _NAMED_LISTS and isinstance(desired, list) and isinstance(there, list):
        return all(any(is_subset(item, other) for other in there) for item in desired)
    return is_subset(desired, there)


def _amount(quantity: Any) -> Decimal | str:
    """Return the amount of a resource quantity; its text if it is none, so that nonsense equals only itself."""
    text = str(quantity)
    number = text.rstrip("numkKMGTPi")
    try:
        return Decimal(number) * _UNITS[text[len(number) :]]
    except (InvalidOperation, KeyError):
        return text
