"""The metrics of a server."""

import re

from tests.serve.processes import PREDICT


def test_the_metrics_have_the_names_of_tensorflow_serving(server):
    server.post(PREDICT, {"instances": [1.0, 2.0]})
    server.post("/v1/models/invented:predict", {"instances": [1.0]})
    status, page, headers = server.request("GET", "/monitoring/prometheus/metrics")
    page = page.decode()
    assert (status, headers["content-type"]) == (200, "text/plain")
    for line in (
        r"^# TYPE :tensorflow:serving:request_count counter$",
        r'^:tensorflow:serving:request_count{model_name="half_plus_two",status="OK"} \d',
        r'^:tensorflow:serving:request_latency_bucket{model_name="half_plus_two",API="predict",'
        r'entrypoint="REST",le="10.0"} ',
        r'^:tensorflow:serving:runtime_latency_count{model_name="half_plus_two",API="Predict",'
        r'runtime="TF1"} ',
        r'^:tensorflow:serving:request_example_counts_sum{model="half_plus_two"} ',
        r'^:tensorflow:serving:request_example_count_total{model="half_plus_two"} ',
    ):
        assert re.search(line, page, re.MULTILINE), line
    assert "invented" not in page  # names that do not exist add no metrics
