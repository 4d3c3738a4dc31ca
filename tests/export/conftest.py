"""Two exported models that the tests only read."""

import pytest
import tensorflow as tf

from kerashw.export import export_saved_model
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
def softmax(softmax_version):
    """The softmax regression, loaded."""
    return tf.saved_model.load(softmax_version)


@pytest.fixture(scope="session")
def diagonal(diagonal_version):
    """The diagonal classifier, loaded."""
    return tf.saved_model.load(diagonal_version)
