"""The HTTP load generator wrk: its script, and the rate and latency that it measures."""

import json
import shutil
import subprocess

from kerashw.benchmark.subprocesses import last_line
from kerashw.errors import BenchmarkError

# Sends one request again and again, and prints the result as a line of JSON, in microseconds.
SCRIPT = """\
wrk.method = "POST"
local file = io.open("%s")
wrk.body = file:read("*a")
file:close()
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('\\n{"rate": %%f, "p50": %%f, "p99": %%f, "failed": %%d}\\n',
    summary.requests / summary.duration * 1e6, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


def is_installed():
    """Return whether wrk is installed."""
    return shutil.which("wrk") is not None


def write_script(body, path):
    """Write a script for wrk that sends the contents of a file as a POST request.

    Args:
        body: `Path` of the body of the request.
        path: `Path` of the script.

    Returns:
        `path`.
    """
    path.write_text(SCRIPT % body, encoding="utf-8")
    return path


def measure_load(url, script, connections, seconds):
    """Send requests over several connections at the same time, after a warm-up of 1 s.

    Args:
        url: String.
        script: `Path`, from `write_script`.
        connections: Integer.
        seconds: Integer.

    Returns:
        Dict of `rate`, requests per second; `p50` and `p99`, percentiles of the latency in
        microseconds; `failed`, which is 0.

    Raises:
        BenchmarkError: If wrk or a request fails.
    """
    command = ["wrk", "--threads=1", f"--connections={connections}", "--timeout=30"]
    for duration in (1, seconds):
        result = subprocess.run(
            [*command, f"--duration={duration}s", f"--script={script}", url],
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            reason = last_line(result.stderr) or f"exit code {result.returncode}"
            raise BenchmarkError(f"wrk failed: {reason}")
    measured = json.loads(result.stdout.splitlines()[-1])
    if measured["failed"]:
        raise BenchmarkError(f"{measured['failed']} requests failed")
    return measured
