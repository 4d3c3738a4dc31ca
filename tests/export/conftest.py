"""Two exported models that the tests only read."""

import pytest
import tensorflow as tf

from kerashw.export import export_question_model, export_saved_model
from kerashw.model_names import QUESTION_MODELS
from kerashw.models import diagonal_classifier, softmax_regression


@pytest.fixture(scope="session")
def softmax_version(tmp_path_factory):
    """The folder of an exported softmax regression."""
    return export_saved_model(softmax_regression(), tmp_path_factory.mktemp("softmax"))


@pytest.fixture(scope="session")
def diagonal_version(tmp_path_factory):
    """The folder of an exported diagonal classifier."""
    return export_saved_model(diagonal_classifier(), tmp_path_factory.mktemp("diagonal"))


@pytest.fixture(scope="session")
def question_versions(tmp_path_factory):
    """The folders of the exported models of Questions 1 and 2, by name."""
    folder = tmp_path_factory.mktemp("questions")
    return {name: export_question_model(name, folder / name) for name in QUESTION_MODELS}


@pytest.fixture(scope="session")
def softmax(softmax_version):
    """The softmax regression, loaded."""
    return tf.saved_model.load(softmax_version)


@pytest.fixture(scope="session")
def diagonal(diagonal_version):
    """The diagonal classifier, loaded."""
    return tf.saved_model.load(diagonal_version)
