"""What Prometheus is told: metrics that are there, alerts that come when they should."""

import contextlib
import json
import re
import subprocess

import pytest
import yaml

from kerashw.serve.configs import PROMETHEUS_PATH
from tests.serve.processes import free_port, until
from tests.serving.places import SERVING, document, get_json, tool

FOLDER = SERVING / "prometheus"
ALERTS = {
    rule["alert"]: rule
    for group in document("prometheus/alerts.yml")["groups"]
    for rule in group["rules"]
}


def test_the_alerts_metrics_are_on_the_server_s_page(server, data):
    body = {"signature_name": "pixels", "instances": data.test_images[:1].tolist()}
    server.post("/v1/models/softmax:predict", body)
    _, page, _ = server.ask("GET", PROMETHEUS_PATH)
    there = set(re.findall(r"^(\S+?)\{", page.decode(), re.MULTILINE))
    text = (FOLDER / "alerts.yml").read_text(encoding="utf-8")
    asked = set(re.findall(r":tensorflow:serving:[\w:]+", text))
    assert len(asked) == 3
    assert asked <= there


def test_the_alerts_labels_are_the_metrics(server):
    _, page, _ = server.ask("GET", PROMETHEUS_PATH)
    for metric in ("request_count", "request_latency_bucket"):
        assert f':tensorflow:serving:{metric}{{model_name="' in page.decode()
    assert re.search(r'request_count\{[^}]*status="OK"', page.decode())


@contextlib.contextmanager
def prometheus(folder, target):
    """A real Prometheus with the containers' files, which looks often."""
    (folder / "alerts.yml").write_bytes((FOLDER / "alerts.yml").read_bytes())
    text = (FOLDER / "prometheus.yml").read_text(encoding="utf-8")
    assert text.count("15s") == 2
    text = text.replace("15s", "1s").replace("serving:8501", target)
    (folder / "prometheus.yml").write_text(text, encoding="utf-8")
    port = free_port()
    command = [
        tool("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}/api/v1"
    finally:
        process.terminate()
        process.wait(30)


def test_prometheus_reads_the_server(server, tmp_path):
    def value(query):
        with contextlib.suppress(OSError):  # it is not there at once
            result = get_json(f"{api}/query?query={query}")["data"]["result"]
            return float(result[0]["value"][1]) if result else None

    def rules():
        groups = get_json(f"{api}/rules")["data"]["groups"]
        return [rule["health"] for group in groups for rule in group["rules"]]

    with prometheus(tmp_path, f"127.0.0.1:{server.port}") as api:
        until(lambda: value('up{job="serving"}') == 1, 60)
        assert value(":tensorflow:serving:request_latency_count") > 0
        until(lambda: rules() == ["ok"] * len(ALERTS), 60)


def times(first, step):
    return f"{first}+{step}x30"


REQUESTS = ":tensorflow:serving:request_count"
LATENCY = ":tensorflow:serving:request_latency_bucket"
QUEUES = ":tensorflow:serving:batching_session:queuing_latency_bucket"
# What a metric does from minute to minute, and whether the alert is up after half an hour.
CASES = [
    ("ServingDown", {'up{job="serving"}': "0x30"}, True),
    ("ServingDown", {'up{job="serving"}': "1x30"}, False),
    (
        "ServingFails",
        {
            f'{REQUESTS}{{model_name="m",status="OK"}}': times(0, 900),
            f'{REQUESTS}{{model_name="m",status="INTERNAL"}}': times(0, 100),
        },
        True,
    ),
    (
        "ServingFails",
        {
            f'{REQUESTS}{{model_name="m",status="OK"}}': times(0, 990),
            f'{REQUESTS}{{model_name="m",status="INTERNAL"}}': times(0, 10),
        },
        False,
    ),
    (
        "ServingFails",
        {
            f'{REQUESTS}{{model_name="m",status="OK"}}': "9x30",
            f'{REQUESTS}{{model_name="m",status="INTERNAL"}}': "9x30",
        },
        False,
    ),
    *(
        (
            alert,
            {
                f'{metric}{{model_name="m",le="{limit}"}}': times(0, 1000 - slow),
                f'{metric}{{model_name="m",le="+Inf"}}': times(0, 1000),
            },
            bool(slow),
        )
        for alert, metric, limit in (
            ("ServingSlow", LATENCY, 600_000),
            ("ServingQueues", QUEUES, 120_000),
        )
        for slow in (50,)
    ),
    (
        "ServingSlow",
        {
            f'{LATENCY}{{model_name="m",le="10000"}}': times(0, 999),
            f'{LATENCY}{{model_name="m",le="+Inf"}}': times(0, 1000),
        },
        False,
    ),
    (
        "ServingQueues",
        {
            f'{QUEUES}{{thread_pool_name="p",le="1000"}}': times(0, 999),
            f'{QUEUES}{{thread_pool_name="p",le="+Inf"}}': times(0, 1000),
        },
        False,
    ),
]


@pytest.fixture(scope="module")
def promtool():
    return tool("promtool")


def test_prometheus_takes_its_files(promtool):
    subprocess.run(
        [promtool, "check", "config", FOLDER / "prometheus.yml"],
        check=True,
        timeout=60,
        capture_output=True,
    )


def test_alerts_come_when_they_should_and_not_else(promtool, tmp_path):
    assert {alert for alert, _, up in CASES if up} == set(ALERTS)
    assert {alert for alert, _, up in CASES if not up} == set(ALERTS)
    for number, (alert, series, up) in enumerate(CASES):
        summary = {"exp_alerts": [{}]} if up else {}
        test = {
            "rule_files": [str(FOLDER / "alerts.yml")],
            "tests": [
                {
                    "interval": "1m",
                    "input_series": [
                        {"series": name, "values": values} for name, values in series.items()
                    ],
                    "alert_rule_test": [{"eval_time": "30m", "alertname": alert, **summary}],
                }
            ],
        }
        file = tmp_path / f"{number}.yml"
        file.write_text(yaml.safe_dump(test), encoding="utf-8")
        ended = subprocess.run(
            [promtool, "test", "rules", file], capture_output=True, text=True, timeout=60
        )
        shown = ended.stdout + ended.stderr
        # An alert that comes has labels and a text, which an empty expectation does not have.
        assert (json.dumps(alert)[1:-1] in shown and "FAILED" in shown) == up, shown
