"""A small run of two models, which several tests share."""

from kerashw.train.run import run
from kerashw.train.settings import Settings
from tests.shared_folder import shared_folder

SETTINGS = Settings(("softmax", "mlp"), epochs=1, train_examples=1000, test_examples=200)


def small_run(tmp_path_factory):
    """Return the folder of the run."""

    def fill(folder):
        run(SETTINGS, folder / "r")

    return shared_folder(tmp_path_factory, "small_run", fill) / "r"
