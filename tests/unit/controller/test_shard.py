"""Which objects a shard has: as the API server's own label selectors say."""

import pytest

from headgate_operator.controller.shard import Shard


@pytest.mark.parametrize(
    ("selector", "selected", "others"),
    [
        ("", [{}, {"shard": "a"}], []),
        ("shard=a", [{"shard": "a"}, {"shard": "a", "x": "y"}], [{}, {"shard": "b"}, {"shard": ""}]),
        ("headgate.dev/shard == a", [{"headgate.dev/shard": "a"}], [{"shard": "a"}]),
        ("shard!=a", [{}, {"shard": "b"}], [{"shard": "a"}]),
        ("shard in (a, b)", [{"shard": "a"}, {"shard": "b"}], [{}, {"shard": "c"}]),
        ("shard notin (a,b)", [{}, {"shard": "c"}], [{"shard": "a"}, {"shard": "b"}]),
        ("shard", [{"shard": ""}, {"shard": "a"}], [{}, {"other": "a"}]),
        ("!shard", [{}, {"other": "a"}], [{"shard": "a"}]),
        ("shard in (a,b),tier=prod, !old", [{"shard": "b", "tier": "prod"}], [{"shard": "b"}, {"shard": "a", "tier": "prod", "old": ""}]),
    ],
)  # fmt: skip
def test_a_selector_selects(selector: str, selected: list[dict[str, str]], others: list[dict[str, str]]) -> None:
    shard = Shard(selector)
    assert all(map(shard.has, selected))
    assert not any(map(shard.has, others))


def test_an_object_without_labels_is_like_one_with_none() -> None:
    assert Shard("!shard").has(None)
    assert not Shard("shard=a").has(None)


@pytest.mark.parametrize("selector", ["a,", "=b", "a in b", "a in (b", "a > b", "a b", "a==b==c", "-a=b"])
def test_what_is_no_selector_is_refused(selector: str) -> None:
    with pytest.raises(ValueError, match="is no label selector: write key=value"):
        Shard(selector)


def test_different_shards_have_different_leases() -> None:
    suffixes = [Shard(text).lease_suffix for text in ("", "shard=a", "shard=b", "shard!=a", "!shard", "shard", "shard notin (a,b)")]
    assert suffixes[:2] == ["", "-shard-a"]
    assert len(set(suffixes)) == len(suffixes)


async def test_an_object_that_moves_to_another_shard_is_let_go_without_a_write(world) -> None:
    from dataclasses import replace

    await world.manifest()
    await world.settle()
    assert b'headgate_rollout_phase{name="flight-delay"' in world.telemetry.render()
    world.observer._settings = replace(world.observer._settings, shard=Shard("shard=a"))
    written = len(world.api.writes)
    assert await world.reconciler.look(("ml", "flight-delay")) == "gone"
    assert len(world.api.writes) == written
    assert b'headgate_rollout_phase{name="flight-delay"' not in world.telemetry.render()
