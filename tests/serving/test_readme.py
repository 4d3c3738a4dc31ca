"""serving/README.md: its local commands work, and the others name files that exist."""

import itertools
import json
import re
import shlex
import shutil

import pytest
import yaml

from kerashw.export import write_models_config
from kerashw.serve import flags
from tests.conftest import find_program
from tests.serving.serving_files import ROOT, SERVING, document
from tests.shell_commands import run_commands

TEXT = (SERVING / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
REMOTE = ("docker", "kubectl", ":9090")
# The others need Docker or a cluster.
LOCAL = [block for block in BLOCKS if not any(word in block for word in REMOTE)]
LINES = [line for block in BLOCKS for line in block.splitlines()]


@pytest.mark.slow
def test_the_commands_of_step_1(exports, data, tmp_path):
    """Run step 1 in one shell, in a folder with exported models."""
    find_program("curl")
    find_program("node")
    run = tmp_path / "runs" / "mnist" / "exports"
    shutil.copytree(exports / "convnet" / "1", run / "convnet" / "1")
    write_models_config(run)
    output = run_commands("".join(LOCAL), tmp_path)
    decoder, responses = json.JSONDecoder(), []
    while output.strip():
        response, end = decoder.raw_decode(output.lstrip())
        responses.append(response)
        output = output.lstrip()[end:]
    status, *predictions, status_by_grpc = responses
    for each in (status, status_by_grpc):
        assert each["model_version_status"][0]["state"] == "AVAILABLE"
    assert [each["outputs"]["class"] for each in predictions] == [[7]] * 5
    assert {len(each["outputs"]["probabilities"][0]) for each in predictions} == {10}


def test_every_step_has_a_check():
    steps = re.split(r"^## \d\. ", TEXT, flags=re.MULTILINE)[1:]
    assert len(steps) == 5
    for number, step in enumerate(steps, 1):
        title = step.splitlines()[0]
        assert "**Check**" in step
        anchor = re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
        assert f"[{number}](#{number}-{anchor})" in TEXT


@pytest.mark.parametrize("line", [line for line in LINES if "kubectl" in line or "docker" in line])
def test_remote_commands_name_existing_files(line):
    words = shlex.split(line)
    for option, path in itertools.pairwise(words):
        if option in ("--file", "--filename", "--kustomize"):
            assert (ROOT / path).exists(), path
        if option == "--kustomize":
            assert (ROOT / path / "kustomization.yaml").is_file()
    if words[:2] == ["docker", "compose"]:
        services = document("compose.yaml")["services"]
        verb = next(place for place, word in enumerate(words) if word in ("up", "down", "logs"))
        named = [w for w in words[verb + 1 :] if re.fullmatch(r"serving\S*|prometheus", w)]
        assert set(named) <= set(services)
    for kind, name in re.findall(r"\b(deployment|service|pod|inferenceservice)/([\w-]+)", line):
        assert (kind, name) in manifests()
    for secret in re.findall(r"secret generic (\S+)", line):
        patch = document("object-store/deployment.yaml")["spec"]["template"]["spec"]
        assert {"secretRef": {"name": secret}} in patch["initContainers"][0]["envFrom"]
    for ports in re.findall(r"port-forward service/serving (.*) &", line):
        opened = [each["port"] for each in document("kubernetes/service.yaml")["spec"]["ports"]]
        assert ports == " ".join(f"{port}:{port}" for port in opened)


def manifests():
    """Return the kind and name of each manifest."""
    found = set()
    for folder in ("kubernetes", "kserve"):
        for path in (SERVING / folder).glob("*.yaml"):
            for manifest in yaml.safe_load_all(path.read_text(encoding="utf-8")):
                found.add((manifest["kind"].lower(), manifest.get("metadata", {}).get("name")))
    return found


def test_it_names_existing_files_and_flags():
    prose = re.sub(r"^```.*?^```", "", TEXT, flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)#]+)\)", prose):
        if not target.startswith("https://"):
            assert (SERVING / target).exists(), target
    for path in re.findall(r"serving/[\w./-]+|clients/[\w./-]+", TEXT):
        path = path.rstrip(".")
        assert (ROOT / path).exists() or (SERVING / path).exists() or "issues" in path, path
    known = set(flags.create_parser()._option_string_actions)
    for name in re.findall(r"(?<![\w-])--[a-z]+(?:_[a-z]+)+", TEXT):
        assert name in known
    for name in re.findall(r":tensorflow:serving:\w+", TEXT):
        assert "request_example_counts" in name


def test_the_section_on_versions_agrees_with_the_file():
    config = (SERVING / "config" / "models.config").read_text(encoding="utf-8")
    assert config.count("specific") == 1
    assert "labels/stable" in TEXT
    assert "labels/stable" in config
