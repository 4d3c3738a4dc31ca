"""compose.yaml: it follows the schema, agrees with the other files, and its health check works."""

import re
import subprocess
import sys

from kerashw.serve.servables import config_file_reader
from tests.conftest import find_program
from tests.ports import free_port
from tests.serving.serving_files import (
    CONFIG,
    ROOT,
    SERVING,
    compose_flags,
    document,
    documents,
    flag,
)


def services():
    return document("compose.yaml")["services"]


def test_it_follows_the_schema():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    result = subprocess.run(
        [*command, SERVING / "compose.yaml"], capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stdout


def test_the_gpu_service_is_the_cpu_service_with_a_gpu():
    cpu, gpu = dict(services()["serving"]), dict(services()["serving-gpu"])
    assert gpu.pop("image") == f"{cpu.pop('image')}-gpu"
    assert gpu.pop("profiles") == ["gpu"]
    [device] = gpu.pop("deploy")["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]
    assert (
        "serving" in gpu.pop("networks")["default"]["aliases"]
    )  # the host name that Prometheus uses
    assert gpu == cpu


def test_the_mounted_folders_exist():
    for service in services().values():
        for volume in service["volumes"]:
            source, target, *mode = (
                volume.split(":") if "$" not in volume else re.split(r"(?<=}):|:(?=ro$)", volume)
            )
            default = re.fullmatch(r"\$\{EXPORTS:-(.*)\}", source)
            if default:  # the exports of `python -m kerashw.train`
                assert (SERVING / default[1]).resolve() == ROOT / "runs" / "mnist" / "exports"
                assert (target, mode) == ("/models", ["ro"])
            elif source.startswith("."):
                assert (SERVING / source).is_dir()
                assert mode == ["ro"]
            else:
                assert source in document("compose.yaml")["volumes"]
    assert "./config:/etc/serving:ro" in services()["serving"]["volumes"]
    assert (SERVING / "config").samefile(CONFIG)


def test_all_files_have_the_same_ports_and_path():
    ports = [flag(compose_flags(), name) for name in ("port", "rest_api_port")]
    _, port = ports
    for name in ("serving", "serving-gpu"):
        assert services()[name]["ports"] == [f"127.0.0.1:{each}:{each}" for each in ports]
        assert f"/127.0.0.1/{port} " in services()[name]["healthcheck"]["test"][-1]
    [scrape] = document("prometheus/prometheus.yml")["scrape_configs"]
    assert scrape["static_configs"] == [{"targets": [f"serving:{port}"]}]
    assert scrape["metrics_path"] == config_file_reader.read_monitoring_config(
        CONFIG / "monitoring.config"
    )
    [deployment] = documents("kubernetes/deployment.yaml")
    pod = deployment["spec"]["template"]
    assert pod["metadata"]["annotations"] == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": port,
        "prometheus.io/path": scrape["metrics_path"],
    }
    [container] = pod["spec"]["containers"]
    assert [str(each["containerPort"]) for each in container["ports"]] == ports
    opened = document("kubernetes/service.yaml")["spec"]["ports"]
    assert [str(each["port"]) for each in opened] == ports


def run_health_check(port):
    command, shell, option, script = services()["serving"]["healthcheck"]["test"]
    assert command == "CMD"
    script = script.replace("/8501 ", f"/{port} ")
    return subprocess.run([find_program(shell), option, script], timeout=30, capture_output=True)


def test_the_health_check_needs_a_server(server):
    assert run_health_check(server.port).returncode == 0
    assert run_health_check(free_port()).returncode != 0


def test_the_services_have_no_root_user_and_no_writable_files():
    for name in ("serving", "serving-gpu"):
        service = services()[name]
        assert service["user"].split(":")[0] not in ("0", "root")
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert all(volume.endswith(":ro") for volume in service["volumes"])
        assert service["init"]  # otherwise the server ignores SIGTERM
