"""What Prometheus is told: metrics that are there, alerts that come when they should."""

import contextlib
import re
import subprocess

import yaml

from kerashw.serve.servables.config_file_reader import PROMETHEUS_PATH
from tests.conftest import tool
from tests.ports import free_port
from tests.serve.processes import until
from tests.serving.places import SERVING, document, get_json

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


REQUESTS = ":tensorflow:serving:request_count"
LATENCY = ":tensorflow:serving:request_latency_bucket"
QUEUES = ":tensorflow:serving:batching_session:queuing_latency_bucket"


def requests(fine, failed):
    """Requests a minute to a model, for half an hour."""
    return {
        f'{REQUESTS}{{model_name="m",status="OK"}}': f"0+{fine}x30",
        f'{REQUESTS}{{model_name="m",status="INTERNAL"}}': f"0+{failed}x30",
    }


def histogram(metric, label, limit, within):
    """1000 measurements a minute, for half an hour, so many of them within a limit."""
    return {
        f'{metric}{{{label},le="{limit}"}}': f"0+{within}x30",
        f'{metric}{{{label},le="+Inf"}}': "0+1000x30",
    }


MODEL, POOL = 'model_name="m"', 'thread_pool_name="p"'
SLOW = "m: one request in a hundred takes over half a second"
QUEUE = "requests wait over 0.1 s for a batch: more replicas, or more batch threads"
# What the metrics do, and the labels and the text of the alert after it, if there is one.
CASES = [
    ("ServingDown", {'up{job="serving",instance="i"}': "1x30"}, None),
    (
        "ServingDown",
        {'up{job="serving",instance="i"}': "0x30"},
        ({"job": "serving", "instance": "i"}, "i does not answer"),
    ),
    ("ServingFails", requests(990, 10), None),
    ("ServingFails", requests(0, 0), None),
    ("ServingFails", requests(900, 100), ({"model_name": "m"}, "m: 10% of the requests fail")),
    ("ServingSlow", histogram(LATENCY, MODEL, 400_000, 999), None),
    ("ServingSlow", histogram(LATENCY, MODEL, 600_000, 950), ({"model_name": "m"}, SLOW)),
    ("ServingQueues", histogram(QUEUES, POOL, 90_000, 999), None),
    ("ServingQueues", histogram(QUEUES, POOL, 120_000, 950), ({}, QUEUE)),
]


def as_a_test(alert, series, expected):
    """Return a case as promtool has it."""
    asked = {"eval_time": "30m", "alertname": alert}
    if expected:
        labels, summary = expected
        asked["exp_alerts"] = [{"exp_labels": labels, "exp_annotations": {"summary": summary}}]
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [asked],
    }


def test_alerts_come_when_they_should_and_not_else(tmp_path):
    for up in (True, False):
        assert {alert for alert, _, expected in CASES if bool(expected) == up} == set(ALERTS)
    file = tmp_path / "cases.yml"
    cases = [as_a_test(*case) for case in CASES]
    content = {"rule_files": [str(FOLDER / "alerts.yml")], "tests": cases}
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    checked("test", "rules", file)


def test_prometheus_takes_its_files():
    checked("check", "config", FOLDER / "prometheus.yml")


def checked(*arguments):
    command = [tool("promtool"), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr
