"""The topics of the benchmark: one module a topic, each with `measure(setup)`."""
