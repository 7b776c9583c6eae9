"""Who reaches whom by the chart's NetworkPolicies, asked of a small model of what a network that enforces them does.

The cluster of the tests enforces none: there they are only accepted.
"""

import ipaddress
from typing import Any

import pytest

from tests.unit import chart

DATABASE, STORAGE, API_SERVER, ELSEWHERE = "10.1.2.3", "52.95.1.1", "10.0.0.1", "93.184.216.34"
EVERYBODY = ["controller", "parser-runner", "api"]
METADATA = [
    *("169.254.169.254", "169.254.170.2", "169.254.169.253", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
    *("fd00:ec2::254", "fd20:ce::254", "fe80::a9fe:a9fe", "64:ff9b::a9fe:a9fe"),
]


@pytest.mark.parametrize(
    ("address", "port", "who"),
    [
        (DATABASE, 6432, EVERYBODY),
        (DATABASE, 5432, []),
        (STORAGE, 443, EVERYBODY),
        (STORAGE, 80, []),
        (API_SERVER, 6443, ["controller"]),
        (ELSEWHERE, 443, []),
        (ELSEWHERE, 5432, []),
    ],
)
def test_pods_reach_what_is_said_and_nothing_else(address: str, port: int, who: list[str]) -> None:
    assert [component for component in EVERYBODY if _reaches(_policy(chart.NARROW, component), address, port)] == who


@pytest.mark.parametrize("values", [chart.NARROW, chart.WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize("component", EVERYBODY)
def test_no_pod_reaches_an_address_of_metadata(values: str, component: str) -> None:
    ports = (53, 80, 443, 5432, 6443, 6432)
    assert not [one for one in METADATA for port in ports if _reaches(_policy(values, component), one, port)]


@pytest.mark.parametrize("component", EVERYBODY)
def test_without_networks_a_port_leads_everywhere_else(component: str) -> None:
    policy = _policy(chart.WIDE, component)
    assert all(_reaches(policy, one, port) for one in (ELSEWHERE, "2001:db8::1") for port in (443, 5432))
    assert not _reaches(policy, ELSEWHERE, 80)


@pytest.mark.parametrize("component", EVERYBODY)
def test_every_pod_asks_the_name_service(component: str) -> None:
    """Of the cluster, or where the values say."""
    for dns, peers, port in (
        ("{}", [{"namespaceSelector": {}}], 53),
        (
            "{to: [{ipBlock: {cidr: 169.254.20.10/32}}], ports: [5353]}",
            [{"ipBlock": {"cidr": "169.254.20.10/32"}}],
            5353,
        ),
    ):
        policy = _policy(f"{chart.LEAST_API}\nnetworkPolicy: {{enabled: true, dns: {dns}}}", component)
        [rule] = [one for one in policy["spec"]["egress"] if {"port": port, "protocol": "UDP"} in one["ports"]]
        assert (rule["to"], rule["ports"][1]) == (peers, {"port": port, "protocol": "TCP"})


def test_nothing_reaches_runners_whatever_their_labels() -> None:
    """They are selected by a label that no pod template can change."""
    policy = _policy(chart.NARROW, "parser-runner")["spec"]
    assert (policy["ingress"], policy["policyTypes"]) == ([], ["Ingress", "Egress"])
    assert policy["podSelector"] == {"matchLabels": {"app": "affirm-parser"}}


def test_others_reach_metrics_and_api_alone() -> None:
    values = chart.NARROW.replace("enabled: true\n", "enabled: true\n  metricsFrom: [{namespaceSelector: {}}]\n")
    [metrics] = _policy(values, "controller")["spec"]["ingress"]
    assert metrics == {"ports": [{"port": "health", "protocol": "TCP"}], "from": [{"namespaceSelector": {}}]}
    assert _policy(values, "api")["spec"]["ingress"] == [
        {"ports": [{"port": "http", "protocol": "TCP"}]},
        {"ports": [{"port": "metrics", "protocol": "TCP"}], "from": [{"namespaceSelector": {}}]},
    ]


@pytest.mark.parametrize(
    ("endpoint", "port"), [("http://minio.s3:9000/", 9000), ("http://minio", 80), ("https://s3.example", 443)]
)
def test_the_port_of_the_storage_is_that_of_its_endpoint(endpoint: str, port: int) -> None:
    values = f"storage: {{s3: {{bucket: names, endpoint: '{endpoint}'}}}}\nnetworkPolicy: {{enabled: true}}"
    assert _reaches(_policy(values, "parser-runner"), ELSEWHERE, port)


def test_the_storage_is_no_server_where_it_is_a_volume() -> None:
    assert not _reaches(_policy(f"{chart.LOCAL}\nnetworkPolicy: {{enabled: true}}", "parser-runner"), STORAGE, 443)


def test_there_are_none_unless_they_are_asked_for() -> None:
    assert not [one for one in chart.objects(chart.LEAST_API) if one["kind"] == "NetworkPolicy"]


def test_more_rules_hold_for_all() -> None:
    """Also for the agent of EKS Pod Identity, which gives a pod the credentials of its own account."""
    agent = "extraEgress: [{to: [{ipBlock: {cidr: 169.254.170.23/32}}], ports: [{port: 80}]}]"
    values = chart.NARROW.replace("enabled: true\n", f"enabled: true\n  {agent}\n")
    for component in EVERYBODY:
        policy = _policy(values, component)
        assert _reaches(policy, "169.254.170.23", 80)
        assert not _reaches(policy, "169.254.169.254", 80)


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        ("database: {cidrs: [169.254.169.254/32]}", "networkPolicy.database.cidrs: 169.254.169.254/32 is where clouds"),
        ("storage: {cidrs: ['fd00:ec2::254/128']}", "networkPolicy.storage.cidrs: fd00:ec2::254/128 is where clouds"),
        ("storage: {cidrs: ['::ffff:a9fe:0/112']}", "::ffff:a9fe:0/112 is where clouds hand out credentials"),
        ("database: {cidrs: [10.0.0.1]}", "networkPolicy.database.cidrs: 10.0.0.1 is no network"),
        ("database: {cidrs: [10.0.0.256/32]}", "networkPolicy.database.cidrs: 10.0.0.256/32 is no network"),
        ("kubernetesApi: {cidrs: ['fd00::/8']}", "networkPolicy.kubernetesApi.cidrs: fd00::/8 is no network"),
        ("extraEgress: [{ports: [{port: 80}]}]", "networkPolicy.extraEgress: a rule without `to` leads everywhere"),
        (
            "extraEgress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}]",
            "networkPolicy.extraEgress: 0.0.0.0/0 leads to 169.254.169.254/32, where clouds hand out credentials",
        ),
        ("extraEgress: [{to: [{ipBlock: {cidr: '::/0'}}]}]", "networkPolicy.extraEgress: ::/0 leads to"),
    ],
)
def test_no_value_leads_to_the_metadata(policy: str, sentence: str) -> None:
    with pytest.raises(chart.Refused) as refused:
        chart.text(f"{chart.LEAST}\nnetworkPolicy: {{enabled: true, {policy}}}")
    assert sentence in str(refused.value)


def _policy(values: str, component: str) -> dict[str, Any]:
    return chart.only("NetworkPolicy", values, component)


def _reaches(policy: dict[str, Any], address: str, port: int) -> bool:
    """Whether a pod that the policy selects opens a TCP connection to an address that is no pod's."""
    for rule in policy["spec"]["egress"]:
        if not any(one["port"] == port and one.get("protocol", "TCP") == "TCP" for one in rule["ports"]):
            continue
        blocks = [peer["ipBlock"] for peer in rule["to"] if "ipBlock" in peer]
        if any(
            _in(address, one["cidr"]) and not any(_in(address, but) for but in one.get("except", ())) for one in blocks
        ):
            return True
    return False


def _in(address: str, network: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(network)
