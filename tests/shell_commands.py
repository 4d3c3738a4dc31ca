"""Run the shell commands of a document."""

import re
import shlex
import subprocess
import sys

from tests.conftest import ROOT, find_program
from tests.ports import free_ports


def run_commands(script, folder):
    """Run the commands that start a server and send requests, in one shell; return their output.

    Args:
        script: String, the code blocks of the document.
        folder: `Path` of the folder that replaces the repository's root.
    """
    for name in ("serving", "kerashw"):
        (folder / name).symlink_to(ROOT / name)
    grpc_port, port = free_ports(2)
    for pattern, replacement in (
        (r"^pip install '\.\[serve\]'\n", ""),
        (r"^python ", f"{shlex.quote(sys.executable)} "),
        (
            r"models\.config &",
            f"models.config --port={grpc_port} --rest_api_port={port} 2>log >&2 &",
        ),
        (r"127\.0\.0\.1:8500", f"127.0.0.1:{grpc_port}"),
        (r"127\.0\.0\.1:8501", f"127.0.0.1:{port}"),
    ):
        script, found = re.subn(pattern, replacement, script, flags=re.MULTILINE)
        assert found
    result = subprocess.run(
        [find_program("bash"), "-m", "-c", f"set -e\n{script}\nkill %1\nwait %1\n"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr + (folder / "log").read_text()
    return result.stdout
