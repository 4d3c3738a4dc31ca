"""`--config`: a file gives the same settings as the command line, which wins."""

import json

import pytest

from kerashw.errors import InputError
from kerashw.train.__main__ import _settings
from kerashw.train.config_file import config_arguments
from kerashw.train.options import create_parser
from kerashw.train.settings import Settings
from tests.train.processes import assert_refused

PARSER = create_parser("train")
DEFAULTS = vars(PARSER.parse_args([]))


def settings_of(path, *arguments):
    return _settings(PARSER.parse_args([*config_arguments(path, DEFAULTS), *arguments]))


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(("mlp",), 3, 64, 7, "kmnist", "bfloat16", 1000, 200, True, True, (20, 30), 0.4),
        Settings(skip_damaged=True, optimizer="adam", learning_rate=1e-5, class_weight="balanced"),
        Settings(validation_share=0.1, early_stopping=2, augment=("flip", "zoom")),
    ],
)
def test_a_manifest_gives_the_settings_of_its_run(settings, tmp_path):
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"configuration": settings.configuration() | {"replicas": 1}}))
    assert settings_of(path) == settings


def test_the_command_line_wins(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(
        'model = ["mlp"]\nepochs = 3\nimage-size = 20\nvalidation_share = 0.1\n'
        'augment = ["flip"]\ndeterministic = true\nkeep-epochs = false\n'
    )
    options = {"validation_share": 0.1, "image_size": (20, 20), "deterministic": True}
    expected = Settings(("mlp",), augment=("flip",), **options, epochs=3)
    assert settings_of(path) == expected
    found = settings_of(path, "--epochs", "5", "--model", "softmax")
    assert found == Settings(("softmax",), augment=("flip",), **options, epochs=5)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.toml", "epoch = 3", "Correct the name. Received: epoch"),
        ("a.toml", "epochs = ", "must be a TOML file"),
        ("a.toml", "epochs = true", "epochs must be a number, a text or a list"),
        ("a.toml", "deterministic = 1", "deterministic must be true or false"),
        ("a.json", "{}", "must be the manifest.json of a run"),
    ],
)
def test_a_wrong_file_is_refused(name, content, message, tmp_path):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message.replace(".", r"\.")):
        config_arguments(tmp_path / name, DEFAULTS)


def test_mistakes_are_one_line(tmp_path, train_here):
    assert_refused(train_here("--config", tmp_path / "none.toml"), "No such file")
    (tmp_path / "a.toml").write_text('epochs = "many"')
    assert_refused(
        train_here("--config", tmp_path / "a.toml"), "a.toml: ", "invalid int value: 'many'"
    )
