"""Prometheus: it reads the metrics of a server, and the alerts fire when they should."""

import contextlib
import re
import subprocess

import yaml

from kerashw.serve.servables.config_file_reader import PROMETHEUS_PATH
from tests.conftest import find_program
from tests.ports import free_port
from tests.serve.processes import wait_until
from tests.serving.serving_files import SERVING, document, get_json

FOLDER = SERVING / "prometheus"
ALERTS = {
    rule["alert"]: rule
    for group in document("prometheus/alerts.yml")["groups"]
    for rule in group["rules"]
}


def predict(server, data):
    body = {"signature_name": "pixels", "instances": data.test_images[:1].tolist()}
    assert server.post("/v1/models/softmax:predict", body)[0] == 200


def test_the_server_has_the_metrics_of_the_alerts(server, data):
    predict(server, data)
    _, page, _ = server.request("GET", PROMETHEUS_PATH)
    metrics = set(re.findall(r"^(\S+?)\{", page.decode(), re.MULTILINE))
    text = (FOLDER / "alerts.yml").read_text(encoding="utf-8")
    used = set(re.findall(r":tensorflow:serving:[\w:]+", text))
    assert len(used) == 3
    assert used <= metrics


def test_the_metrics_have_the_labels_of_the_alerts(server, data):
    predict(server, data)
    _, page, _ = server.request("GET", PROMETHEUS_PATH)
    for metric in ("request_count", "request_latency_bucket"):
        assert f':tensorflow:serving:{metric}{{model_name="' in page.decode()
    assert re.search(r'request_count\{[^}]*status="OK"', page.decode())


@contextlib.contextmanager
def prometheus(folder, target):
    """Run Prometheus with the containers' files and short intervals; return its URL."""
    (folder / "alerts.yml").write_bytes((FOLDER / "alerts.yml").read_bytes())
    text = (FOLDER / "prometheus.yml").read_text(encoding="utf-8")
    assert text.count("15s") == 2
    text = text.replace("15s", "1s").replace("serving:8501", target)
    (folder / "prometheus.yml").write_text(text, encoding="utf-8")
    port = free_port()
    command = [
        find_program("prometheus"),
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


def test_prometheus_reads_the_metrics(server, data, tmp_path):
    predict(server, data)

    def value(query):
        with contextlib.suppress(OSError):  # while Prometheus starts
            result = get_json(f"{api}/query?query={query}")["data"]["result"]
            return float(result[0]["value"][1]) if result else None

    def rules():
        groups = get_json(f"{api}/rules")["data"]["groups"]
        return [rule["health"] for group in groups for rule in group["rules"]]

    with prometheus(tmp_path, f"127.0.0.1:{server.port}") as api:
        wait_until(lambda: value('up{job="serving"}') == 1)
        assert value(":tensorflow:serving:request_latency_count") > 0
        wait_until(lambda: rules() == ["ok"] * len(ALERTS))


REQUESTS = ":tensorflow:serving:request_count"
LATENCY = ":tensorflow:serving:request_latency_bucket"
QUEUES = ":tensorflow:serving:batching_session:queuing_latency_bucket"


def requests(successful, failed):
    """Return the series of a model with these requests per minute, for half an hour."""
    return {
        f'{REQUESTS}{{model_name="m",status="OK"}}': f"0+{successful}x30",
        f'{REQUESTS}{{model_name="m",status="INTERNAL"}}': f"0+{failed}x30",
    }


def histogram(metric, label, limit, within):
    """Return a series of 1000 values per minute for half an hour, `within` of them in a limit."""
    return {
        f'{metric}{{{label},le="{limit}"}}': f"0+{within}x30",
        f'{metric}{{{label},le="+Inf"}}': "0+1000x30",
    }


MODEL, POOL = 'model_name="m"', 'thread_pool_name="p"'
SLOW = "m: one request in a hundred takes over half a second"
QUEUE = "requests wait over 0.1 s for a batch: more replicas, or more batch threads"
# An alert, a series, and the labels and text of the alert that fires; None if none fires.
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


def promtool_case(alert, series, expected):
    """Return a test case of promtool."""
    test = {"eval_time": "30m", "alertname": alert}
    if expected:
        labels, summary = expected
        test["exp_alerts"] = [{"exp_labels": labels, "exp_annotations": {"summary": summary}}]
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [test],
    }


def test_alerts_fire_when_they_should(tmp_path):
    for fires in (True, False):
        assert {alert for alert, _, expected in CASES if bool(expected) == fires} == set(ALERTS)
    file = tmp_path / "cases.yml"
    cases = [promtool_case(*case) for case in CASES]
    content = {"rule_files": [str(FOLDER / "alerts.yml")], "tests": cases}
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    check("test", "rules", file)


def test_prometheus_accepts_its_files():
    check("check", "config", FOLDER / "prometheus.yml")


def check(*arguments):
    command = [find_program("promtool"), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr
