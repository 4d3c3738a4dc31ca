"""The limits of this machine, and the arithmetic in one epoch of each model."""

# The name of a limit → the worker process that measures it, as in `run_rounds`.
HARDWARE_LIMITS = {
    "rates": "kerashw.benchmark.hardware_limits.measured_rates",
    "products": "kerashw.benchmark.hardware_limits.matrix_products",
}
