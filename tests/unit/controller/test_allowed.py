"""Which URLs of manifests the operator asks."""

import pytest

from headgate_operator.controller.allowed import AllowList, parse_allow_list


@pytest.mark.parametrize(
    "url",
    [
        "http://prometheus.monitoring:9090",
        "http://prometheus.monitoring.svc/x?y=z",
        "https://Prometheus.Monitoring.svc.cluster.local.:9090",
        "http://10.0.0.7:19001",
        "http://[fd00::7]:19001/stats",
    ],
)
def test_services_and_private_addresses_are_allowed_unless_told_otherwise(url: str) -> None:
    assert parse_allow_list([]).refusal(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8080",
        "http://127.0.0.1:8080",
        "http://127.1",
        "http://0x7f.1",
        "http://2130706433",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://0.0.0.0/",
        "http://169.254.169.254/latest/meta-data",
        "http://[fe80::1]/",
        "http://8.8.8.8",
        "https://hooks.example.com/x",
        "http://prometheus.monitoring.svc@evil.example.com/",
        "http://user:secret@prometheus.monitoring/",
        "http://evil.example.com\\@prometheus.monitoring/",
        "http://evil.example.com#.svc",
        "ftp://prometheus.monitoring/",
        "prometheus.monitoring:9090",
        "http://",
        "http://prometheus.monitoring:99999",
    ],
)
def test_what_only_the_operator_can_reach_is_not_asked_for_a_manifest(url: str) -> None:
    assert parse_allow_list([]).refusal(url) is not None


def test_the_sentence_names_the_url_and_the_flag_and_never_a_password() -> None:
    assert parse_allow_list(["https://a.example.com/x", "cluster"]).refusal("https://b.example.com") == (
        "'https://b.example.com' is not among the URLs that the operator may ask (cluster, https://a.example.com/x); "
        "its administrator can add it with --allow-url"
    )
    assert "secret" not in (parse_allow_list([]).refusal("http://user:secret@prometheus.monitoring/") or "")


@pytest.mark.parametrize(
    ("prefix", "allowed", "refused"),
    [
        ("https://a.example.com", "https://a.example.com:8443/any?x=y", "https://a.example.com.evil.org/"),
        ("https://a.example.com", "https://a.example.com", "http://a.example.com"),
        ("https://a.example.com/hooks", "https://a.example.com/hooks/one", "https://a.example.com/hooksecret"),
        ("https://a.example.com/hooks/", "https://a.example.com/hooks", "https://a.example.com/hooks/../admin"),
        ("https://a.example.com/hooks", "https://a.example.com/hooks/a/../b", "https://a.example.com/hooks/%2e%2e/admin"),
        ("https://a.example.com/hooks", "https://a.example.com/hooks/a%2Fb", "https://a.example.com/hooks/..%2Fadmin"),
        ("http://10.0.0.7:9090", "http://10.0.0.7:9090/api", "http://10.0.0.7:9091/api"),
        ("https://*.example.com", "https://a.b.example.com/", "https://example.com/"),
        ("https://*.example.com", "https://a.example.com/", "https://aexample.com/"),
        ("http://*", "http://anything.at.all:1/", "https://anything.at.all/"),
        ("http://[::1]:80", "http://[::1]/", "http://[::2]/"),
    ],
)
def test_a_prefix_covers_whole_parts_only(prefix: str, allowed: str, refused: str) -> None:
    listed = parse_allow_list([prefix])
    assert listed.refusal(allowed) is None
    assert listed.refusal(refused) is not None


def test_prefixes_replace_the_cluster_unless_it_is_named_beside_them() -> None:
    assert parse_allow_list(["https://a.example.com"]).refusal("http://prometheus.monitoring") is not None
    assert parse_allow_list(["https://a.example.com", "cluster"]).refusal("http://prometheus.monitoring") is None
    assert AllowList(cluster=False).refusal("http://prometheus.monitoring") is not None


@pytest.mark.parametrize("text", ["", "a.example.com", "ftp://a", "https://", "https://A.example.com", "https://u@h", "https://a/?x", "*"])
def test_nonsense_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="is no beginning of URLs: write cluster"):
        parse_allow_list([text])
