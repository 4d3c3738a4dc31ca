"""The training Job: the command of each pod, and the rules for its exit codes."""

import json
import os
import subprocess

import pytest

from kerashw import distribution
from kerashw.console import EXIT_ERROR, EXIT_INTERRUPTED, EXIT_TEMPORARY_FAILURE
from kerashw.train.__main__ import main
from tests.serving.serving_files import documents

SERVICE, JOB = documents("kubernetes/train-job.yaml")
SPEC = JOB["spec"]
POD = SPEC["template"]["spec"]
(CONTAINER,) = POD["containers"]
VARIABLES = {each["name"]: each["value"] for each in CONTAINER["env"]}


def run_pod_command(index, folder):
    """Run the command of a pod; return TF_CONFIG and the arguments of `python`."""
    python = folder / "python"
    python.write_text('#!/bin/sh\nprintf "%s\\n%s" "$*" "$TF_CONFIG"\n')
    python.chmod(0o755)
    result = subprocess.run(
        [*CONTAINER["command"], *CONTAINER["args"]],
        env={
            "PATH": f"{folder}:{os.defpath}",
            "WORKERS": VARIABLES["WORKERS"],
            "JOB_COMPLETION_INDEX": str(index),
        },
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert result.stderr == ""
    arguments, _, config = result.stdout.partition("\n")
    return config, arguments.split()


def test_each_pod_has_the_cluster_and_its_index(tmp_path, monkeypatch):
    assert VARIABLES["WORKERS"] == str(SPEC["completions"]) == str(SPEC["parallelism"])
    (port,) = SERVICE["spec"]["ports"]
    for index in range(SPEC["completions"]):
        config, _ = run_pod_command(index, tmp_path)
        monkeypatch.setenv("TF_CONFIG", config)
        choice = distribution.choose_strategy("multiworker")
        assert (choice.index, choice.workers) == (index, SPEC["completions"])
        # The host names of the pods of an indexed Job with a subdomain.
        service, name = SERVICE["metadata"]["name"], JOB["metadata"]["name"]
        assert choice.addresses[index] == f"{name}-{index}.{service}:{port['port']}"
    assert POD["subdomain"] == SERVICE["metadata"]["name"]
    assert SPEC["completionMode"] == "Indexed"
    assert SERVICE["spec"]["clusterIP"] == "None"
    assert SERVICE["spec"]["selector"] == {"job-name": JOB["metadata"]["name"]}
    assert json.loads(config)["task"]["type"] == "worker"


def test_the_options_of_the_command_are_valid(tmp_path, monkeypatch, capsys):
    config, arguments = run_pod_command(0, tmp_path)
    assert arguments[:2] == ["-m", "kerashw.train"]
    mounts = {each["mountPath"] for each in CONTAINER["volumeMounts"]}
    assert any(arguments[arguments.index("--output") + 1].startswith(path) for path in mounts)
    monkeypatch.setenv("TF_CONFIG", config)
    output = str(tmp_path / "run")
    with pytest.raises(SystemExit):
        main([*arguments[2:], "--output", output, "--no-such-option"])
    assert "unrecognized arguments: --no-such-option" in capsys.readouterr().err


def test_an_error_ends_the_job_and_a_lost_worker_does_not():
    rules = SPEC["podFailurePolicy"]["rules"]
    by_code = {
        code: rule["action"]
        for rule in rules
        for code in rule.get("onExitCodes", {"values": ()})["values"]
    }
    assert by_code == {EXIT_ERROR: "FailJob", EXIT_TEMPORARY_FAILURE: "Ignore"}
    # A pod is interrupted when its machine is removed.
    assert EXIT_INTERRUPTED not in by_code
    (disrupted,) = [rule for rule in rules if "onPodConditions" in rule]
    assert disrupted["action"] == "Ignore"
    assert disrupted["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]
    assert POD["restartPolicy"] == "Never"  # which a podFailurePolicy requires
    assert SPEC["successPolicy"]["rules"] == [{"succeededIndexes": "0"}]


def test_the_pods_have_no_unnecessary_rights():
    assert POD["securityContext"]["runAsNonRoot"]
    assert not POD["automountServiceAccountToken"]
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
