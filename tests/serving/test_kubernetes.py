"""The manifests follow the schemas of Kubernetes, and agree with each other."""

import functools
import shutil
import subprocess

import kubernetes_validate
import pytest
import yaml

from tests.serving.serving_files import (
    CONFIG,
    MODELS,
    SERVING,
    container,
    document,
    documents,
    flag,
)

# The oldest release that a vendor still supports, and the newest one with a schema.
RELEASES = ("1.30", kubernetes_validate.latest_version())
FOLDER = SERVING / "kubernetes"
PROBES = ("startup", "readiness", "liveness")
MANIFESTS = sorted(path.name for path in FOLDER.glob("*.yaml") if path.stem != "kustomization")


def validate(manifest):
    for release in RELEASES:
        kubernetes_validate.validate(manifest, release, strict=True)


@functools.cache
def by_kind(kind):
    """Return the manifest of a kind among those that the kustomization lists."""
    listed = document("kubernetes/kustomization.yaml")["resources"]
    files = [name for name in listed if (FOLDER / name).is_file()]
    [found] = [
        each for name in files for each in documents(f"kubernetes/{name}") if each["kind"] == kind
    ]
    return found


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_follows_the_schemas(name):
    for manifest in documents(f"kubernetes/{name}"):
        validate(manifest)


def test_an_unknown_field_is_an_error():
    manifest = document("kubernetes/deployment.yaml")
    manifest["spec"]["template"]["spec"]["container"] = []
    with pytest.raises(kubernetes_validate.ValidationError):
        validate(manifest)


def test_the_files_of_the_kustomizations_exist():
    for path in ("config", "kubernetes", "object-store"):
        kustomization = document(f"{path}/kustomization.yaml")
        for resource in kustomization.get("resources", ()):
            assert (SERVING / path / resource).exists()
        for patch in kustomization.get("patches", ()):
            assert (SERVING / path / patch["path"]).is_file()
        for generator in kustomization.get("configMapGenerator", ()):
            for file in generator.get("files", ()):
                assert (SERVING / path / file).is_file()


def test_the_mounted_configuration_is_complete():
    [generator] = document("config/kustomization.yaml")["configMapGenerator"]
    used = {
        flag(container()["args"], name).rpartition("/")[2]
        for name in ("model_config_file", "batching_parameters_file", "monitoring_config_file")
    }
    assert set(generator["files"]) == used == {path.name for path in CONFIG.glob("*.config")}
    volumes = {each["name"]: each for each in pod()["volumes"]}
    assert volumes["config"]["configMap"]["name"] == generator["name"]
    claim = volumes["models"]["persistentVolumeClaim"]["claimName"]
    assert claim == by_kind("PersistentVolumeClaim")["metadata"]["name"]
    mounts = {each["mountPath"]: each for each in container()["volumeMounts"]}
    assert mounts["/etc/serving"]["name"] == "config"
    assert mounts["/models"]["name"] == "models"
    assert {each["name"] for each in mounts.values()} == set(volumes)


def pod():
    return by_kind("Deployment")["spec"]["template"]["spec"]


def test_all_selectors_match_the_pods_of_the_deployment():
    deployment = by_kind("Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert by_kind("Service")["spec"]["selector"] == labels
    for selector in (
        deployment["spec"]["selector"],
        by_kind("PodDisruptionBudget")["spec"]["selector"],
        by_kind("NetworkPolicy")["spec"]["podSelector"],
        *(each["labelSelector"] for each in pod()["topologySpreadConstraints"]),
    ):
        assert selector == {"matchLabels": labels}
    target = by_kind("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert target == {
        "apiVersion": deployment["apiVersion"],
        "kind": "Deployment",
        "name": deployment["metadata"]["name"],
    }


def test_the_ports_are_referenced_by_their_names():
    names = [port["name"] for port in container()["ports"]]
    assert names == ["grpc", "http"]
    probes = [container()[f"{kind}Probe"]["httpGet"] for kind in PROBES]
    assert {probe["port"] for probe in probes} == {"http"}
    opened = by_kind("Service")["spec"]["ports"]
    assert [each["name"] for each in opened] == [each["targetPort"] for each in opened] == names
    [rule] = by_kind("NetworkPolicy")["spec"]["ingress"]
    assert [each["port"] for each in rule["ports"]] == names


def test_the_probes_request_a_served_model(server):
    for kind in PROBES:
        path = container()[f"{kind}Probe"]["httpGet"]["path"]
        # Its status alone is there without a version, too.
        assert path.endswith("/metadata") == (kind != "liveness")
        assert path.removeprefix("/v1/models/").removesuffix("/metadata") in MODELS
        assert server.get(path)[0] == 200


def test_the_autoscaler_has_a_metric_and_sets_the_replicas_alone():
    assert "replicas" not in by_kind("Deployment")["spec"]
    autoscaler = by_kind("HorizontalPodAutoscaler")["spec"]
    [metric] = autoscaler["metrics"]
    assert metric["resource"]["name"] in container()["resources"]["requests"]
    budget = by_kind("PodDisruptionBudget")["spec"]["maxUnavailable"]
    assert budget < autoscaler["minReplicas"] <= autoscaler["maxReplicas"]


def test_accepted_requests_are_answered_before_a_pod_stops():
    timeout = int(flag(container()["args"], "rest_api_timeout_in_ms")) / 1000
    program, seconds = container()["lifecycle"]["preStop"]["exec"]["command"]
    assert program == "sleep"
    assert timeout < int(seconds) < pod()["terminationGracePeriodSeconds"]
    name, milliseconds = flag(container()["args"], "grpc_channel_arguments").split("=")
    assert name == "grpc.max_connection_age_ms"  # until then, a client sends requests to the pod
    assert int(milliseconds) / 1000 < int(seconds)
    assert pod()["shareProcessNamespace"]  # otherwise the server ignores SIGTERM


def all_containers():
    for spec in (pod(), document("kubernetes/loader.yaml")["spec"]):
        yield spec, spec["containers"][0]
    patched = document("object-store/deployment.yaml")["spec"]["template"]["spec"]
    yield pod(), patched["initContainers"][0]


def test_the_containers_have_no_unnecessary_rights():
    for spec, each in all_containers():
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["securityContext"]["runAsUser"] > 0
        assert not spec["automountServiceAccountToken"]
        assert each["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "memory" in each["resources"]["limits"]


@pytest.mark.skipif(
    not shutil.which("kubectl"), reason="kubectl is not installed; Debian has no package of it"
)
@pytest.mark.parametrize("folder", ["kubernetes", "object-store"])
def test_the_output_of_kustomize_is_consistent(folder):
    command = ["kubectl", "kustomize", SERVING / folder]
    shown = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    manifests = list(yaml.safe_load_all(shown))
    for manifest in manifests:
        validate(manifest)
    names = {(each["kind"], each["metadata"]["name"]) for each in manifests}
    [deployment] = [each for each in manifests if each["kind"] == "Deployment"]
    spec = deployment["spec"]["template"]["spec"]
    for volume in spec["volumes"]:
        if "configMap" in volume:
            assert ("ConfigMap", volume["configMap"]["name"]) in names
        if "persistentVolumeClaim" in volume:
            assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in names
    mounted = {each["mountPath"]: each["name"] for each in spec["containers"][0]["volumeMounts"]}
    assert set(mounted.values()) == {volume["name"] for volume in spec["volumes"]}
    config = next(each for each in manifests if "models.config" in each.get("data", {}))
    for file in CONFIG.glob("*.config"):
        assert config["data"][file.name] == file.read_text(encoding="utf-8")
    if folder == "object-store":
        kinds = [kind for kind, _ in names]
        assert "PersistentVolumeClaim" not in kinds
        [copier] = spec["initContainers"]
        assert ("ConfigMap", copier["envFrom"][0]["configMapRef"]["name"]) in names


# The fields of KServe's v1beta1 API, from its reference, because no small package has its schema.
# The fields of a container are checked with Kubernetes' schema.
KSERVE_MODEL = {"modelFormat", "protocolVersion", "runtime", "runtimeVersion", "storageUri"}
KSERVE_PREDICTOR = {"minReplicas", "maxReplicas", "canaryTrafficPercent", "model"}


def test_the_inference_service_has_the_fields_of_kserve():
    manifest = document("kserve/inference-service.yaml")
    assert set(manifest) == {"apiVersion", "kind", "metadata", "spec"}
    assert (manifest["apiVersion"], manifest["kind"]) == (
        "serving.kserve.io/v1beta1",
        "InferenceService",
    )
    assert set(manifest["spec"]) == {"predictor"}
    predictor = manifest["spec"]["predictor"]
    assert set(predictor) <= KSERVE_PREDICTOR
    assert 0 < predictor["minReplicas"] <= predictor["maxReplicas"]
    model = predictor["model"]
    assert model["modelFormat"] == {"name": "tensorflow"}
    assert model["protocolVersion"] == "v1"
    assert model["runtimeVersion"] == container()["image"].partition(":")[2]
    claim, _, folder = model["storageUri"].removeprefix("pvc://").partition("/")
    assert claim == by_kind("PersistentVolumeClaim")["metadata"]["name"]
    assert folder == manifest["metadata"]["name"]
    assert folder in MODELS
    rest = {key: value for key, value in model.items() if key not in KSERVE_MODEL}
    validate(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "kserve"},
            "spec": {"containers": [{"name": "kserve-container", **rest}]},
        }
    )


def test_all_files_use_the_same_release():
    images = {
        service["image"].removesuffix("-gpu")
        for name, service in document("compose.yaml")["services"].items()
        if name.startswith("serving")
    }
    assert images == {container()["image"]}
