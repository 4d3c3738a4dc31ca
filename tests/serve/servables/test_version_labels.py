"""Labels stand for versions, and move only to versions that are available."""

import pytest

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.servables.config_file_reader import ModelConfig
from kerashw.serve.servables.model_registry import ModelRegistry
from kerashw.serve.servables.model_version import LoadSettings
from tests.serve.servables.text_models import load_text, write


class Server:
    """A registry of the model m, whose list of models is read at each poll.

    Args:
        base: `Path` of the model's folder. It gets a version 1.
        label_unavailable: Boolean, the value of --allow_version_labels_for_unavailable_models.
    """

    def __init__(self, base, label_unavailable):
        write(base, 1, "one")
        self.base = base
        self.config = ModelConfig("m", base, labels={"stable": 1})
        settings = LoadSettings(self.load, 0, 0, 0, label_unavailable)
        self.registry = ModelRegistry(settings, [self.config], lambda: [self.config], 1e-9)
        self.answered_while_loading = []
        self.registry.stop()  # only the test polls
        self.registry.start()

    def load(self, path):
        if self.registry.models["m"].serving:
            self.answered_while_loading.append(self.find("stable"))
        return load_text(path)

    def find(self, label):
        return self.registry.find("m", label=label)

    def configure(self, specific, **labels):
        self.config = self.config._replace(specific=frozenset(specific), labels=labels)
        self.registry.poll()


@pytest.fixture(params=[False, True])
def server(request, tmp_path):
    return Server(tmp_path, request.param)


def test_a_label_moves_when_its_version_is_available(server, caplog):
    assert server.find("stable") == ("one", 1)
    server.configure({2}, stable=2)  # there is no version 2 yet
    server.registry.poll()
    assert server.find("stable") == ("one", 1)
    assert caplog.text.count("m: label stable stays at version 1 until version 2 is available") == 1
    write(server.base, 2, "bad")
    server.registry.poll()
    assert server.find("stable") == ("one", 1)
    (server.base / "2" / "model").write_text("two")
    server.registry.poll()
    assert server.find("stable") == ("two", 2)
    assert server.answered_while_loading == [("one", 1)] * 2
    assert sorted(server.registry.models["m"].serving) == [2]


def test_a_version_is_held_while_a_label_cannot_leave_it(server):
    for version in (2, 3):
        write(server.base, version, "two" if version == 2 else "bad")
    server.configure({2, 3}, stable=3)
    assert server.find("stable") == ("one", 1)
    server.configure({2, 3}, stable=2)
    assert server.find("stable") == ("two", 2)
    assert sorted(server.registry.models["m"].serving) == [2]


def test_a_removed_label_is_gone_at_once(server):
    server.configure({1})
    with pytest.raises(RequestError, match="Unrecognized servable version label: stable"):
        server.find("stable")


@pytest.mark.parametrize(
    ("server", "message"),
    [(False, "Unrecognized servable version label: canary"), (True, r"Specific\(m, 7\)")],
    indirect=["server"],
)
def test_a_new_label_for_a_version_that_is_not_available(server, message):
    server.configure({1, 7}, stable=1, canary=7)
    with pytest.raises(RequestError, match=message):
        server.find("canary")
    write(server.base, 7, "seven")
    server.registry.poll()
    assert server.find("canary") == ("seven", 7)
