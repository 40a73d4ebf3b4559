"""Builders: a store with its verbs, without HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from headgate_devcluster.apiserver.builtin import BUILTINS
from headgate_devcluster.apiserver.checks import Validators
from headgate_devcluster.apiserver.custom import resource_types
from headgate_devcluster.apiserver.deletion import DeleteOptions, Deletion
from headgate_devcluster.apiserver.garbage import GarbageCollection
from headgate_devcluster.apiserver.objects import Object
from headgate_devcluster.apiserver.resources import Catalogue, ResourceType, Target
from headgate_devcluster.apiserver.store import Store
from headgate_devcluster.apiserver.writes import WriteOptions, Writes, Written

WIDGET_SCHEMA = {
    "type": "object",
    "required": ["spec"],
    "properties": {
        "spec": {
            "type": "object",
            "required": ["size"],
            "properties": {
                "size": {"type": "integer", "minimum": 1, "maximum": 10},
                "colour": {"type": "string", "enum": ["red", "green"], "default": "red"},
                "label": {"type": "string", "maxLength": 5, "pattern": "^[a-z]+$"},
                "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
                "steps": {
                    "type": "array",
                    "maxItems": 3,
                    "items": {"type": "object", "properties": {"weight": {"type": "integer"}, "wait": {"type": "string", "default": "1m"}}},
                },
                "ports": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {"name": {"type": "string"}, "port": {"type": "integer"}},
                    },
                },
                "limits": {"type": "object", "additionalProperties": {"type": "string"}},
                "watch": {
                    "type": "object",
                    "default": {},
                    "properties": {"duration": {"type": "string", "default": "1h"}, "note": {"type": "string", "nullable": True}},
                },
                "extra": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "amount": {"x-kubernetes-int-or-string": True},
            },
        },
        "status": {"type": "object", "properties": {"phase": {"type": "string"}, "seen": {"type": "integer"}}},
    },
}


def widget_definition() -> Object:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": WIDGET_SCHEMA},
                }
            ],
        },
    }


(WIDGETS,) = resource_types(widget_definition())


def widget(name: str = "w", *, metadata: Mapping[str, Any] | None = None, **spec: Any) -> Object:
    return {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": name, "namespace": "ml", **(metadata or {})},
        "spec": {"size": 1, **spec},
    }


@dataclass
class Api:
    """The verbs of a server, called directly. Everything happens in the namespace `ml`."""

    validators: Validators = field(default_factory=dict)
    history_size: int = 100

    def __post_init__(self) -> None:
        self.store = Store(history_size=self.history_size)
        self.catalogue = Catalogue(BUILTINS)
        self.catalogue.replace_custom("example.com", "widgets", (WIDGETS,))
        self.writes = Writes(self.store, self.validators, {})
        self.deletion = Deletion(self.store, self.catalogue)
        self.garbage = GarbageCollection(self.store, self.deletion)
        self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml"}})

    def resource(self, obj: Object) -> ResourceType:
        return next(item for item in self.catalogue if (item.api_version, item.kind) == (obj["apiVersion"], obj["kind"]))

    def _target(self, obj: Object, subresource: str = "", *, name: str = "") -> Target:
        resource = self.resource(obj)
        return Target(resource, "ml" if resource.namespaced else "", name or obj["metadata"].get("name", ""), subresource)

    def create(self, obj: Object, **options: Any) -> Object:
        return self.written(obj, **options).obj

    def written(self, obj: Object, **options: Any) -> Written:
        return self.writes.create(self._target(obj), obj, WriteOptions(**{"manager": "test", **options}))

    def replace(self, obj: Object, *, subresource: str = "", **options: Any) -> Object:
        return self.writes.replace(self._target(obj, subresource), obj, WriteOptions(**{"manager": "test", **options})).obj

    def apply(self, obj: Object, *, subresource: str = "", **options: Any) -> Written:
        return self.writes.apply(self._target(obj, subresource), obj, WriteOptions(**{"manager": "applier", **options}))

    def patch(self, obj: Object, change: Any, *, subresource: str = "", **options: Any) -> Object:
        return self.writes.patch(self._target(obj, subresource), change, WriteOptions(**{"manager": "test", **options})).obj

    def get(self, obj: Object) -> Object | None:
        target = self._target(obj)
        return self.store.get(target.resource.storage, (target.namespace, target.name))

    def delete(self, obj: Object, **options: Any) -> Object:
        target = self._target(obj)
        return self.deletion.delete(target.resource, target.namespace, target.name, DeleteOptions(**options))


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def new_api() -> type[Api]:
    return Api


@pytest.fixture
def widgets() -> ResourceType:
    return WIDGETS


@pytest.fixture
def make_widget() -> Any:
    return widget


@pytest.fixture
def definition() -> Object:
    return widget_definition()
