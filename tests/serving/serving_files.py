"""The files of `serving/`, and their content."""

import json
import re
import urllib.request

import yaml

from tests.conftest import ROOT

SERVING = ROOT / "serving"
CLIENTS = SERVING / "clients"
CONFIG = SERVING / "config"
MODELS = ("convnet", "mlp", "softmax")


def documents(path):
    """Return the YAML documents of a file in `serving/`."""
    return list(yaml.safe_load_all((SERVING / path).read_text(encoding="utf-8")))


def document(path):
    """Return the only YAML document of a file in `serving/`."""
    [found] = documents(path)
    return found


def compose_flags():
    """Return the flags of the server in compose.yaml."""
    return document("compose.yaml")["x-serving"]["command"]


def container():
    """Return the container of the server in Kubernetes."""
    [found] = document("kubernetes/deployment.yaml")["spec"]["template"]["spec"]["containers"]
    return found


def flag(flags, name):
    """Return the value of a flag."""
    [value] = [each.partition("=")[2] for each in flags if each.startswith(f"--{name}=")]
    return value


def models_config(exports):
    """Return the containers' models.config with the local paths of the models."""
    text = (CONFIG / "models.config").read_text(encoding="utf-8")
    assert text.count('base_path: "/models/') == len(MODELS)
    return text.replace('"/models/', f'"{exports}/')


def local_flags(exports, config, **changed):
    """Return the flags of compose.yaml with local paths instead of the containers' paths.

    Args:
        exports: `Path` of the folder that the containers mount at /models.
        config: `Path` of the models.config, which this function writes.
        changed: Other values for some flags, by name.
    """
    ports = ("--port=", "--rest_api_port=")
    flags = [each for each in compose_flags() if not each.startswith(ports)]
    for name, value in changed.items():
        assert sum(each.startswith(f"--{name}=") for each in flags) == 1
        flags = [re.sub(rf"^--{name}=.*", f"--{name}={value}", each) for each in flags]
    config.write_text(models_config(exports), encoding="utf-8")
    flags = [each.replace("/etc/serving/models.config", str(config)) for each in flags]
    return [each.replace("/etc/serving/", f"{CONFIG}/") for each in flags]


def get_json(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return json.loads(answer.read())
