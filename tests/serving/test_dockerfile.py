"""serving/Dockerfile: what it copies and runs exists, and no image runs as root."""

import json
import re
import subprocess
import sys
from importlib.util import find_spec

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from kerashw.serve import flags
from tests.serving.serving_files import CONFIG, ROOT, SERVING

TEXT = re.sub(r"^#.*\n", "", (SERVING / "Dockerfile").read_text(encoding="utf-8"), flags=re.M)
TEXT = TEXT.replace("\\\n", "")
STAGES = {
    match[1]: match[0]
    for match in re.finditer(r"^FROM \S+ AS (\w+)\n(?:(?!FROM).*\n)*", TEXT, re.M)
}
LOCK = (SERVING / "requirements.lock").read_text(encoding="utf-8")


def instruction(stage, name):
    """Return the arguments of the last instruction of a name."""
    return re.findall(rf"^{name}\s+(.*)", STAGES[stage], re.MULTILINE)[-1]


def test_every_copied_file_exists():
    for stage in STAGES.values():
        for sources in re.findall(r"^COPY (?!--from)(.*) \S+$", stage, re.MULTILINE):
            for source in sources.split():
                assert (ROOT / source).exists(), source


@pytest.mark.parametrize("stage", ["train", "serve"])
def test_the_user_is_not_root(stage):
    user, _, group = instruction(stage, "USER").partition(":")
    assert int(user) > 0
    assert int(group) > 0


@pytest.mark.parametrize("stage", ["train", "serve"])
def test_the_command_exists(stage):
    python, option, module, *_ = json.loads(instruction(stage, "ENTRYPOINT"))
    assert (python, option) == ("python", "-m")
    assert find_spec(f"{module}.__main__")


def test_the_server_has_the_flags_and_files_of_its_image():
    _, _, _, *arguments = json.loads(instruction("serve", "ENTRYPOINT"))
    options = flags.parse(arguments + json.loads(instruction("serve", "CMD")))
    for path in (options.model_config_file, options.monitoring_config_file):
        assert (CONFIG / str(path).removeprefix("/etc/serving/")).is_file()
    assert f":{options.rest_api_port}/" in instruction("serve", "HEALTHCHECK")
    assert instruction("serve", "EXPOSE") == f"{options.port} {options.rest_api_port}"


def test_the_health_check_fails_where_nothing_is_served():
    command = json.loads(instruction("serve", "HEALTHCHECK").partition("CMD ")[2])
    command = [sys.executable, *command[1:]]
    command[-1] = command[-1].replace("8501", "1")
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == 1


def test_the_lock_pins_every_requirement_within_its_range():
    pins = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", LOCK, re.MULTILINE))
    text = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    blocks = re.findall(r"^(?:install_requires|test|serve) =\n((?:    .*\n)+)", text, re.MULTILINE)
    assert len(blocks) == 3
    for line in re.findall(r"^    (\w.*)", "".join(blocks), re.MULTILINE):
        requirement = Requirement(line)
        pin = pins[re.sub(r"[._]", "-", requirement.name.lower())]
        assert Version(pin) in requirement.specifier, line
