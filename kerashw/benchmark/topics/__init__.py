"""The topics of the benchmark, one per module; see `kerashw.benchmark.topic_runner`."""
