"""A server process that may not read a version serves all others, and reads it once it may."""

import os
import shutil

from tests.conftest import find_program
from tests.serve.processes import PREDICT, running_server, wait_until

# The privilege with which root reads every file.
PRIVILEGES = "-dac_override,-dac_read_search"


def without_privileges():
    if os.geteuid():
        return []
    return [find_program("setpriv"), f"--inh-caps={PRIVILEGES}", f"--bounding-set={PRIVILEGES}"]


def test_a_version_is_available_as_soon_as_it_may_be_read(models, tmp_path):
    base = tmp_path / "half_plus_two"
    shutil.copytree(models / "half_plus_two", base)
    [version] = base.iterdir()
    number = int(version.name)
    flags = [f"--model_base_path={base}", "--model_name=half_plus_two"]
    flags += ["--file_system_poll_wait_seconds=0.1"]
    with running_server(*flags, prefix=without_privileges()) as server:
        secret = shutil.copytree(version, tmp_path / "new")
        secret.chmod(0)
        secret = secret.rename(base / str(number + 1))
        wait_until(lambda: server.states("half_plus_two").get(number + 1) == "END")
        _, response = server.get(f"/v1/models/half_plus_two/versions/{number + 1}")
        [found] = response["model_version_status"]
        assert found["status"]["error_code"] == "PERMISSION_DENIED"
        assert str(secret) in found["status"]["error_message"]
        assert server.post(PREDICT, {"instances": [1.0]}) == (200, {"predictions": [2.5]})
        secret.chmod(0o755)
        wait_until(lambda: server.states("half_plus_two").get(number + 1) == "AVAILABLE")
        assert server.post(PREDICT, {"instances": [1.0]}) == (200, {"predictions": [2.5]})
