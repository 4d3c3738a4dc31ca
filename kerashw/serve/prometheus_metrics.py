"""Metrics for Prometheus, under the names that TensorFlow Serving gives them."""

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, multiprocess
from prometheus_client.utils import floatToGoString

# The folder in which several processes add up their metrics, by prometheus-client's name for it.
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_NAME = ":tensorflow:serving:"


def _exponential(scale, growth, count):
    return [scale * growth**exponent for exponent in range(count)]


class Metrics:
    """The metrics of a server. Histograms of times are in microseconds."""

    def __init__(self):
        self.registry = CollectorRegistry()
        latencies = _exponential(10, 1.8, 33)
        examples = _exponential(1, 2, 15)
        waits = _exponential(100, 1.2, 52)
        self._requests = self._counter(
            "request_count", "The total number of requests.", "model_name", "status"
        )
        self._request_latency = self._histogram(
            "request_latency", latencies, "model_name", "API", "entrypoint"
        )
        self._runtime_latency = self._histogram(
            "runtime_latency", latencies, "model_name", "API", "runtime"
        )
        self._example_counts = self._histogram("request_example_counts", examples, "model")
        self._example_total = self._counter(
            "request_example_count_total", "The total number of examples.", "model"
        )
        self._queuing = self._histogram(
            "batching_session:queuing_latency", waits, "thread_pool_name"
        )
        self._batches = self._counter(
            "batching_session:wrapped_run_count",
            "Total count of run calls on the wrapped session.",
        )
        self._warmup = self._histogram("model_warmup_latency", latencies, "model_path", "status")

    def record_request(self, model, api, code, seconds, entrypoint="REST"):
        """Record a request.

        Args:
            model: String, the name of the model.
            api: String: predict, classify, regress, metadata or status; with a capital by gRPC.
            code: String, one of TensorFlow's status codes, such as OK or NOT_FOUND.
            seconds: Float, the time from the last byte of the request to its response.
            entrypoint: String, REST or GRPC.
        """
        self._requests.labels(model, code).inc()
        self._request_latency.labels(model, api, entrypoint).observe(seconds * 1e6)

    def record_run(self, model, api, seconds, examples):
        """Record a call of a model.

        Args:
            model: String, the name of the model.
            api: String: Predict, Classify or Regress.
            seconds: Float, the time of the call.
            examples: Integer, the number of examples in the call.
        """
        self._runtime_latency.labels(model, api, "TF1").observe(seconds * 1e6)
        self._example_counts.labels(model).observe(examples)
        self._example_total.labels(model).inc(examples)

    def record_batch(self, pool, waits):
        """Record a call of a model with a batch of requests.

        Args:
            pool: String, the name of the thread pool.
            waits: List of floats, the time in seconds that each request waited for its batch.
        """
        self._batches.inc()
        for seconds in waits:
            self._queuing.labels(pool).observe(seconds * 1e6)

    def record_warmup(self, path, code, seconds):
        """Record the time of a model's warm-up requests, by the model's path and status code."""
        self._warmup.labels(str(path), code).observe(seconds * 1e6)

    def text(self):
        """Return the metrics in Prometheus' text format.

        `prometheus_client.generate_latest` adds `_total` to the names of all counters. TensorFlow
        Serving's counter `request_count` has no such suffix.

        Returns:
            Bytes.

        Example:
            >>> metrics = Metrics()
            >>> metrics.record_request("digits", "predict", "OK", 0.001)
            >>> print(metrics.text().decode().splitlines()[2])
            :tensorflow:serving:request_count{model_name="digits",status="OK"} 1.0
        """
        registry = self.registry
        if METRICS_FOLDER in os.environ:  # the metrics of all workers together
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)
        lines = []
        for family in registry.collect():
            is_counter = family.type == "counter"
            no_suffix = is_counter and family.name.endswith(("request_count", "run_count"))
            suffix = "_total" if is_counter and not no_suffix else ""
            lines.append(f"# HELP {family.name}{suffix} {family.documentation}")
            lines.append(f"# TYPE {family.name}{suffix} {family.type}")
            lines.extend(
                _format_sample(sample, no_suffix)
                for sample in family.samples
                if not sample.name.endswith("_created")
            )
        return "".join(f"{line}\n" for line in lines).encode()

    def _counter(self, name, text, *labels):
        return Counter(_NAME + name, text, labels, registry=self.registry)

    def _histogram(self, name, buckets, *labels):
        text = name.rpartition(":")[2].replace("_", " ")
        return Histogram(_NAME + name, text, labels, buckets=buckets, registry=self.registry)


def _format_sample(sample, no_suffix):
    name = sample.name.removesuffix("_total") if no_suffix else sample.name
    labels = ",".join(f'{key}="{_escape(value)}"' for key, value in sample.labels.items())
    return f"{name}{{{labels}}} {floatToGoString(sample.value)}"


def _escape(value):
    value = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
