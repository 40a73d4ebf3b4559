"""The base of all API types: camelCase on the wire, immutable in memory."""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class ApiModel(BaseModel):
    """A piece of a Kubernetes object.

    Objects from the cluster ignore unknown fields (an older operator may meet a newer CRD); `lint` and the tests pass
    `extra="forbid"` to `model_validate`.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")


Piece = TypeVar("Piece", bound=ApiModel)


def changed(piece: Piece, **fields: Any) -> Piece:
    """Copy with these fields changed; the very same object if all of them are so already, so that no change is cheap to see."""
    new = {name: value for name, value in fields.items() if getattr(piece, name) != value}
    return piece.model_copy(update=new) if new else piece
