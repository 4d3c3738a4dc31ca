"""MNIST, loaded into memory through tensorflow-datasets.

The package contains the four archives of MNIST (see `archives/README.md`). The `mnist` builder of
tensorflow-datasets checks and prepares them. No network is needed, and `tfds.load("mnist")` works
afterwards.
"""

from kerashw.datasets.loading import load as load_dataset


def load(name="mnist", data_dir=None):
    """Load MNIST into memory.

    The first call prepares the data set, which takes about ten seconds. Later calls take a fraction
    of a second.

    Args:
        name: String, another name for `kerashw.datasets.loading.load`, which has further arguments:
            `fashion_mnist`, `kmnist`, …
        data_dir: String or `Path`, the data directory of tensorflow-datasets. The default is also
            theirs: `$TFDS_DATA_DIR` or `~/tensorflow_datasets`.

    Returns:
        `kerashw.datasets.image_dataset.ImageDataset`.

    Raises:
        DataError: If there is no such data set, it cannot be downloaded, or an archive or the
            prepared data set is damaged or cannot be read.
        InputError: If the data directory is not UTF-8, or `~` stands for no home folder.

    Example:
        >>> from kerashw.datasets import mnist
        >>> data = mnist.load()
        >>> data.train_images.shape, data.test_labels.shape
        ((60000, 28, 28), (10000,))

    Reference:
        Y. LeCun, C. Cortes, C. J. C. Burges, *The MNIST database of handwritten digits*.
    """
    return load_dataset(name, data_dir)
