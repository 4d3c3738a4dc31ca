"""Small parts of MNIST for the tests."""

from kerashw.datasets.pipeline import Batches


def mnist_batches(data, train=1000, test=300, batch_size=24, seed=0):
    """Return training and test batches. By default, the last batch of both is smaller."""
    cut = data.first(train, test)
    return (
        Batches(cut.train_images, cut.train_labels, batch_size, seed),
        Batches(cut.test_images, cut.test_labels, 128),
    )


def as_floats(images):
    """Return uint8 images (N, 28, 28) as floats (N, 28, 28, 1) in [0, 1]."""
    return images[..., None].astype("float32") / 255
