"""What a page tells its reader to type, typed."""

import re
import shlex
import subprocess
import sys

from tests.conftest import ROOT, tool
from tests.ports import free_port


def run_typed(script, folder):
    """Type what starts a server and asks it, one shell for all; return what that printed.

    Args:
        script: String, the page's blocks.
        folder: `Path` of a folder that stands for the repository's.
    """
    for name in ("serving", "kerashw"):
        (folder / name).symlink_to(ROOT / name)
    port = free_port()
    for given, replaced in (
        (r"^pip install '\.\[serve\]'\n", ""),
        (r"^python ", f"{shlex.quote(sys.executable)} "),
        (r"models\.config &", f"models.config --rest_api_port={port} 2>log >&2 &"),
        (r"127\.0\.0\.1:8501", f"127.0.0.1:{port}"),
    ):
        script, found = re.subn(given, replaced, script, flags=re.MULTILINE)
        assert found
    ended = subprocess.run(
        [tool("bash"), "-m", "-c", f"set -e\n{script}\nkill %1\nwait %1\n"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr + (folder / "log").read_text()
    return ended.stdout
