"""The Job that trains: its shell is run as each pod would, and its rules fit the exit codes."""

import json
import os
import subprocess

import pytest

from kerashw import distribution
from kerashw.console import FAILED, INTERRUPTED, TRY_AGAIN
from kerashw.train.__main__ import main
from tests.serving.places import documents

SERVICE, JOB = documents("kubernetes/train-job.yaml")
SPEC = JOB["spec"]
POD = SPEC["template"]["spec"]
(CONTAINER,) = POD["containers"]
VARIABLES = {each["name"]: each["value"] for each in CONTAINER["env"]}


def started_as(index, folder):
    """Run a pod's command; return TF_CONFIG and the arguments that `python` was started with."""
    python = folder / "python"
    python.write_text('#!/bin/sh\nprintf "%s\\n%s" "$*" "$TF_CONFIG"\n')
    python.chmod(0o755)
    ended = subprocess.run(
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
    assert ended.stderr == ""
    arguments, _, config = ended.stdout.partition("\n")
    return config, arguments.split()


def test_each_pod_knows_the_cluster_and_its_place_in_it(tmp_path, monkeypatch):
    assert VARIABLES["WORKERS"] == str(SPEC["completions"]) == str(SPEC["parallelism"])
    (port,) = SERVICE["spec"]["ports"]
    for index in range(SPEC["completions"]):
        config, _ = started_as(index, tmp_path)
        monkeypatch.setenv("TF_CONFIG", config)
        plan = distribution.plan("multiworker")
        assert (plan.index, plan.workers) == (index, SPEC["completions"])
        # The names that Kubernetes gives the pods of an indexed Job with a subdomain.
        service, name = SERVICE["metadata"]["name"], JOB["metadata"]["name"]
        assert plan.addresses[index] == f"{name}-{index}.{service}:{port['port']}"
    assert POD["subdomain"] == SERVICE["metadata"]["name"]
    assert SPEC["completionMode"] == "Indexed"
    assert SERVICE["spec"]["clusterIP"] == "None"
    assert SERVICE["spec"]["selector"] == {"job-name": JOB["metadata"]["name"]}
    assert json.loads(config)["task"]["type"] == "worker"


def test_the_command_is_one_that_the_command_takes(tmp_path, monkeypatch, capsys):
    config, arguments = started_as(0, tmp_path)
    assert arguments[:2] == ["-m", "kerashw.train"]
    mounts = {each["mountPath"] for each in CONTAINER["volumeMounts"]}
    assert any(arguments[arguments.index("--output") + 1].startswith(path) for path in mounts)
    monkeypatch.setenv("TF_CONFIG", config)
    output = str(tmp_path / "run")
    with pytest.raises(SystemExit):
        main([*arguments[2:], "--output", output, "--no-such-option"])
    assert "unrecognized arguments: --no-such-option" in capsys.readouterr().err


def test_a_mistake_ends_the_job_and_a_lost_worker_does_not():
    rules = SPEC["podFailurePolicy"]["rules"]
    by_code = {
        code: rule["action"]
        for rule in rules
        for code in rule.get("onExitCodes", {"values": ()})["values"]
    }
    assert by_code == {FAILED: "FailJob", TRY_AGAIN: "Ignore"}
    # An interruption is that of a machine that is taken away.
    assert INTERRUPTED not in by_code
    (disrupted,) = [rule for rule in rules if "onPodConditions" in rule]
    assert disrupted["action"] == "Ignore"
    assert disrupted["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]
    assert POD["restartPolicy"] == "Never"  # what a podFailurePolicy needs
    assert SPEC["successPolicy"]["rules"] == [{"succeededIndexes": "0"}]


def test_the_pods_have_no_more_rights_than_they_need():
    assert POD["securityContext"]["runAsNonRoot"]
    assert not POD["automountServiceAccountToken"]
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
