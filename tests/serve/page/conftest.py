"""A browser, and a server of trained models and of models that the homework does not have."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from playwright.sync_api import expect, sync_playwright

from kerashw.datasets.pipeline import Batches
from kerashw.export import (
    export_epochs,
    export_question_model,
    export_saved_model,
    write_models_config,
)
from kerashw.fitting import fit
from kerashw.model_names import QUESTION_MODELS
from kerashw.models import (
    diagonal_classifier,
    learned_diagonal_classifier,
    mlp,
    softmax_regression,
)
from tests.conftest import compiled, find_program
from tests.serve.page.browsing import open_page
from tests.serve.processes import running_server

# Without these, Chromium sends requests to other servers.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CLOTHES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"]
CLOTHES += ["Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
# It counts diagonals with the threshold 1.
LEARNED_KERNEL = np.array([[0.0, -0.25, 0.75], [-0.5, 0.5, 0.0], [0.75, 0.125, 0.0]])


@pytest.fixture(scope="package")
def browser():
    chromium = find_program("chromium")
    expect.set_options(timeout=60_000)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="package")
def networks(browser, data):
    """The models of the homework that are served, by name."""
    # After an epoch with a third of MNIST, both give a clear 7 more than 90 %.
    train = Batches(data.train_images[:20_000], data.train_labels[:20_000], batch_size=128, seed=0)
    trained = [compiled(softmax_regression()), compiled(mlp())]
    for model in trained:
        fit(model, train, verbose=0)
    return {model.name: model for model in (*trained, diagonal_classifier())}


class SevenOnly(tf.Module):
    """A model whose only output are the probabilities of digits: seven for each image."""

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, "image_bytes")])
    def classify(self, image_bytes):
        return {"probabilities": tf.tile(tf.one_hot([7], 10), [tf.size(image_bytes), 1])}


@pytest.fixture(scope="package")
def small_convnet():
    """A ConvNet with strides, padding and a signed layer, and its weights of epochs 0 and 1."""
    keras.utils.set_random_seed(0)
    random = {"bias_initializer": keras.initializers.RandomNormal(stddev=0.1)}
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(4, 3, activation="relu", name="conv_1", **random),
            layers.MaxPooling2D(2, name="pool"),
            layers.Conv2D(6, 3, 2, "same", activation="relu", name="conv_2", **random),
            layers.Flatten(name="flatten"),
            layers.Dense(16, activation="tanh", name="hidden", **random),
            layers.Dense(10, activation="softmax", name="probabilities", **random),
        ],
        name="small",
    )
    untrained = model.get_weights()
    model.set_weights([1.5 * weights[::-1] for weights in untrained])
    return model, [untrained, model.get_weights()]


@pytest.fixture(scope="package")
def page_server(networks, small_convnet, tmp_path_factory):
    """A server of the homework's models and of clothes, bare and longer; see `open_page`."""
    folder = tmp_path_factory.mktemp("page")
    for name, model in networks.items():
        export_saved_model(model, folder / name)
    for name in QUESTION_MODELS:
        export_question_model(name, folder / name)
    small, (untrained, _) = small_convnet
    epochs = [{"epoch": 1, "train_loss": 2.25, "validation_loss": 2.0, "validation_accuracy": 0.25}]
    export_epochs(small, [untrained], folder / "small", epochs=epochs)
    clothes = softmax_regression()
    clothes.set_weights([np.zeros((784, 10)), 10 * np.eye(10)[9]])
    export_saved_model(clothes, folder / "clothes", CLOTHES)
    export_saved_model(diagonal_classifier(size=4), folder / "longer")
    learned = learned_diagonal_classifier()
    learned.set_weights([LEARNED_KERNEL[..., np.newaxis, np.newaxis], np.array([-1.0])])
    export_saved_model(learned, folder / "learned_diagonal", ["one", "two"])
    bare = SevenOnly()
    tf.saved_model.save(bare, str(folder / "bare" / "1"), {"image_bytes": bare.classify})
    config = f"--model_config_file={write_models_config(folder)}"
    flags = [config, "--rest_api_enable_cors_support", "--enable_model_warmup=false"]
    with running_server(*flags) as running:
        yield running


@pytest.fixture
def digits(browser, page_server):
    """The page with the digits tab."""
    with open_page(browser, page_server) as page:
        yield page


@pytest.fixture
def diagonals(browser, page_server):
    """The page with the diagonals tab."""
    with open_page(browser, page_server, "diagonals") as page:
        yield page
