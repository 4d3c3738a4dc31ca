"""Metrics for Prometheus, with the names that TensorFlow Serving's have: colons included."""

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.utils import floatToGoString

_NAME = ":tensorflow:serving:"


def _exponential(scale, growth, count):
    return [scale * growth**exponent for exponent in range(count)]


class Metrics:
    """What a server counts and measures. Times are in microseconds."""

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
        self._warmup = self._histogram("model_warmup_latency", latencies, "model_path", "status")

    def request(self, model, api, code, seconds):
        """Count a request and its time from the first to the last byte."""
        self._requests.labels(model, code).inc()
        self._request_latency.labels(model, api, "REST").observe(seconds * 1e6)

    def run(self, model, api, seconds, examples):
        """Count a call of a model, and the examples in it."""
        self._runtime_latency.labels(model, api, "TF1").observe(seconds * 1e6)
        self._example_counts.labels(model).observe(examples)
        self._example_total.labels(model).inc(examples)

    def queued(self, pool, seconds):
        """Measure how long a request waited for its batch."""
        self._queuing.labels(pool).observe(seconds * 1e6)

    def warmed_up(self, path, code, seconds):
        """Measure a model's warm-up."""
        self._warmup.labels(str(path), code).observe(seconds * 1e6)

    def page(self):
        """Return all of it in Prometheus' text format.

        prometheus_client's own page ends the names of all counters with `_total`; TensorFlow
        Serving's `request_count` does not.

        Returns:
            Bytes.

        Example:
            >>> metrics = Metrics()
            >>> metrics.request("digits", "predict", "OK", 0.001)
            >>> print(metrics.page().decode().splitlines()[2])
            :tensorflow:serving:request_count{model_name="digits",status="OK"} 1.0
        """
        lines = []
        for family in self.registry.collect():
            plain = family.type == "counter" and family.name.endswith("request_count")
            ending = "_total" if family.type == "counter" and not plain else ""
            lines.append(f"# HELP {family.name}{ending} {family.documentation}")
            lines.append(f"# TYPE {family.name}{ending} {family.type}")
            lines.extend(
                _line(sample, plain)
                for sample in family.samples
                if not sample.name.endswith("_created")
            )
        return "".join(f"{line}\n" for line in lines).encode()

    def _counter(self, name, text, *labels):
        return Counter(_NAME + name, text, labels, registry=self.registry)

    def _histogram(self, name, buckets, *labels):
        text = name.rpartition(":")[2].replace("_", " ")
        return Histogram(_NAME + name, text, labels, buckets=buckets, registry=self.registry)


def _line(sample, plain):
    name = sample.name.removesuffix("_total") if plain else sample.name
    labels = ",".join(f'{key}="{_escaped(value)}"' for key, value in sample.labels.items())
    return f"{name}{{{labels}}} {floatToGoString(sample.value)}"


def _escaped(value):
    value = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
