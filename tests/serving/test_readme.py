"""The page from laptop to cluster: what runs here is run, and the rest names what is there."""

import itertools
import json
import re
import shlex
import shutil

import pytest
import yaml

from kerashw.export import write_models_config
from kerashw.serve import flags
from tests.conftest import tool
from tests.serving.places import ROOT, SERVING, document
from tests.typed import run_typed

TEXT = (SERVING / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
ELSEWHERE = ("docker", "kubectl", ":9090")
# The others need an engine or a cluster.
HERE = [block for block in BLOCKS if not any(word in block for word in ELSEWHERE)]
LINES = [line for block in BLOCKS for line in block.splitlines()]


def test_the_laptop_s_commands(exports, data, tmp_path):
    """Run step 1 in one shell, in a folder where the run is."""
    tool("curl")
    tool("node")
    run = tmp_path / "runs" / "mnist" / "exports"
    shutil.copytree(exports / "convnet" / "1", run / "convnet" / "1")
    write_models_config(run)
    text = run_typed("".join(HERE), tmp_path)
    decoder, answers = json.JSONDecoder(), []
    while text.strip():
        answer, end = decoder.raw_decode(text.lstrip())
        answers.append(answer)
        text = text.lstrip()[end:]
    status, *predictions = answers
    assert status["model_version_status"][0]["state"] == "AVAILABLE"
    assert [answer["outputs"]["class"] for answer in predictions] == [[7]] * 4
    assert {len(answer["outputs"]["probabilities"][0]) for answer in predictions} == {10}


def test_every_step_has_its_check():
    steps = re.split(r"^## \d\. ", TEXT, flags=re.MULTILINE)[1:]
    assert len(steps) == 5
    for number, step in enumerate(steps, 1):
        title = step.splitlines()[0]
        assert "**Check**" in step
        anchor = re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
        assert f"[{number}](#{number}-{anchor})" in TEXT


@pytest.mark.parametrize("line", [line for line in LINES if "kubectl" in line or "docker" in line])
def test_commands_elsewhere_name_what_is_there(line):
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
        assert (kind, name) in there()
    for secret in re.findall(r"secret generic (\S+)", line):
        patch = document("object-store/deployment.yaml")["spec"]["template"]["spec"]
        assert {"secretRef": {"name": secret}} in patch["initContainers"][0]["envFrom"]
    for ports in re.findall(r"port-forward service/serving (\S+)", line):
        port = document("kubernetes/service.yaml")["spec"]["ports"][0]["port"]
        assert ports == f"{port}:{port}"


def there():
    """Return kind and name of all that the manifests make."""
    found = set()
    for folder in ("kubernetes", "kserve"):
        for path in (SERVING / folder).glob("*.yaml"):
            for manifest in yaml.safe_load_all(path.read_text(encoding="utf-8")):
                found.add((manifest["kind"].lower(), manifest.get("metadata", {}).get("name")))
    return found


def test_what_it_names_is_there():
    prose = re.sub(r"^```.*?^```", "", TEXT, flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)#]+)\)", prose):
        if not target.startswith("https://"):
            assert (SERVING / target).exists(), target
    for path in re.findall(r"serving/[\w./-]+|clients/[\w./-]+", TEXT):
        path = path.rstrip(".")
        assert (ROOT / path).exists() or (SERVING / path).exists() or "issues" in path, path
    known = set(flags._parser()._option_string_actions)
    for name in re.findall(r"(?<![\w-])--[a-z]+(?:_[a-z]+)+", TEXT):
        assert name in known
    for name in re.findall(r":tensorflow:serving:\w+", TEXT):
        assert "request_example_counts" in name


def test_the_versions_part_says_what_the_file_does():
    config = (SERVING / "config" / "models.config").read_text(encoding="utf-8")
    assert config.count("specific") == 1
    assert "labels/stable" in TEXT
    assert "labels/stable" in config
