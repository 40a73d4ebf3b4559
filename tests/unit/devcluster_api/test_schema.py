"""What a CRD's schema does to an object: defaults, pruning, refusals in the server's words."""

from typing import Any

import pytest

from headgate_devcluster.apiserver.errors import Refusal


def refused(api: Any, obj: Any, **options: Any) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        api.create(obj, **options)
    return refusal.value


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"size": "five"}, 'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"'),
        ({"size": True}, 'spec.size: Invalid value: "boolean": spec.size in body must be of type integer: "boolean"'),
        ({"size": 1.5}, 'spec.size: Invalid value: "number": spec.size in body must be of type integer: "number"'),
        ({"size": 11}, "spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10"),
        ({"size": 0}, "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1"),
        ({"colour": "blue"}, 'spec.colour: Unsupported value: "blue": supported values: "red", "green"'),
        ({"label": "abcdef"}, "spec.label: Too long: may not be more than 5 bytes"),
        ({"label": "A1"}, "spec.label: Invalid value: \"A1\": spec.label in body should match '^[a-z]+$'"),
        ({"label": "ab\n"}, "spec.label: Invalid value: \"ab\\n\": spec.label in body should match '^[a-z]+$'"),
        ({"steps": [{}] * 4}, "spec.steps: Too many: 4: must have at most 3 items"),
        (
            {"steps": [{"weight": "x"}]},
            'spec.steps[0].weight: Invalid value: "string": spec.steps[0].weight in body must be of type integer: "string"',
        ),
        ({"tags": ["a", "b", "a"]}, 'spec.tags[2]: Duplicate value: "a"'),
        ({"ports": [{"name": "a"}, {"name": "a"}]}, 'spec.ports[1]: Duplicate value: {"name":"a"}'),
        ({"ports": [{"port": 1}]}, "spec.ports[0].name: Required value"),
        ({"limits": {"cpu": 1}}, 'spec.limits.cpu: Invalid value: "integer": spec.limits.cpu in body must be of type string: "integer"'),
        ({"amount": []}, 'spec.amount: Invalid value: "array": spec.amount in body must be of type integer,string: "array"'),
    ],
)
def test_a_value_that_breaks_the_schema_is_refused_in_the_servers_words(
    api: Any, make_widget: Any, spec: dict[str, Any], sentence: str
) -> None:
    refusal = refused(api, make_widget(**spec))
    assert (refusal.code, refusal.reason) == (422, "Invalid")
    assert str(refusal) == f'Widget.example.com "w" is invalid: {sentence}'
    assert refusal.status["details"]["causes"][0]["field"] == sentence.partition(":")[0]


def test_several_errors_come_in_one_answer(api: Any, make_widget: Any) -> None:
    obj = make_widget(colour="blue")
    del obj["spec"]["size"]
    assert str(refused(api, obj)) == (
        'Widget.example.com "w" is invalid: [spec.size: Required value, '
        'spec.colour: Unsupported value: "blue": supported values: "red", "green"]'
    )


def test_defaults_are_filled_in_also_inside_an_object_that_is_itself_a_default(api: Any, make_widget: Any) -> None:
    spec = api.create(make_widget(steps=[{"weight": 5}]))["spec"]
    assert spec == {"size": 1, "colour": "red", "steps": [{"weight": 5, "wait": "1m"}], "watch": {"duration": "1h"}}


def test_nulls_are_dropped_unless_the_schema_allows_them(api: Any, make_widget: Any) -> None:
    spec = api.create(make_widget(label=None, colour=None, watch={"note": None, "duration": None}))["spec"]
    assert spec == {"size": 1, "colour": "red", "watch": {"note": None, "duration": "1h"}}


def test_unknown_fields_are_pruned_with_a_warning_each(api: Any, make_widget: Any) -> None:
    written = api.written(make_widget(rolout={}, steps=[{"weigth": 1}], extra={"kept": 1}))
    assert written.warnings == ['unknown field "spec.rolout"', 'unknown field "spec.steps[0].weigth"']
    assert "rolout" not in written.obj["spec"]
    assert written.obj["spec"]["steps"] == [{"wait": "1m"}]
    assert written.obj["spec"]["extra"] == {"kept": 1}


def test_unknown_fields_under_strict_validation_are_a_bad_request(api: Any, make_widget: Any) -> None:
    refusal = refused(api, make_widget(rolout={}, size=2), field_validation="Strict")
    assert (refusal.code, refusal.reason) == (400, "BadRequest")
    assert str(refusal) == ('Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.rolout"')


def test_an_unknown_field_of_metadata_is_unknown_too(api: Any, make_widget: Any) -> None:
    refusal = refused(api, make_widget(metadata={"lables": {}}), field_validation="Strict")
    assert str(refusal).endswith('unknown field "metadata.lables"')


def test_unknown_fields_are_let_through_silently_when_ignored(api: Any, make_widget: Any) -> None:
    written = api.written(make_widget(rolout={}), field_validation="Ignore")
    assert written.warnings == []
    assert "rolout" not in written.obj["spec"]


@pytest.mark.parametrize("amount", [5, "50%"])
def test_an_int_or_string_takes_both(api: Any, make_widget: Any, amount: object) -> None:
    assert api.create(make_widget(amount=amount))["spec"]["amount"] == amount


def test_what_a_stored_object_already_gets_wrong_is_let_through_while_it_stays_the_same(api: Any, make_widget: Any, new_api: Any) -> None:
    """Validation ratcheting: a stricter schema must not make status writes of old objects impossible."""
    created = api.create(make_widget())
    spoiled = created | {"spec": created["spec"] | {"size": 99}}
    api.store.put(("example.com", "widgets"), spoiled)
    changed = api.patch(created, lambda obj: obj | {"status": {"phase": "Fine"}}, subresource="status")
    assert changed["status"] == {"phase": "Fine"}
    with pytest.raises(Refusal, match="less than or equal to 10"):
        api.patch(created, lambda obj: obj | {"spec": obj["spec"] | {"size": 98}})


def test_validators_stand_for_cel_and_run_only_on_objects_that_fit_the_schema(new_api: Any, make_widget: Any) -> None:
    class Broken:
        path, message = "spec.steps", "weights must rise"

    api = new_api({("example.com", "Widget"): lambda obj, old: [Broken()] if "steps" in obj["spec"] else []})
    assert str(refused(api, make_widget(steps=[{}]))) == (
        'Widget.example.com "w" is invalid: spec.steps: Invalid value: "array": weights must rise'
    )
    both = str(refused(api, make_widget(steps=[{}], size=0)))
    assert "weights must rise" not in both
    assert both.endswith(
        "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; "
        "correct the existing errors to complete validation]"
    )


def test_validators_see_the_stored_object_on_updates(new_api: Any, make_widget: Any) -> None:
    seen: list[object] = []
    api = new_api({("example.com", "Widget"): lambda obj, old: seen.append(old and old["spec"]["size"]) or []})
    created = api.create(make_widget(size=3))
    api.patch(created, lambda obj: obj | {"spec": obj["spec"] | {"size": 4}})
    assert seen == [None, 3]
