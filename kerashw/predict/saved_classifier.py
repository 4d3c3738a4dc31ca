"""A classifier that is loaded from a SavedModel of `kerashw.export`, without Keras."""

import numpy as np
import tensorflow as tf

from kerashw.errors import DataError, InputError

BATCH_SIZE = 500


class SavedClassifier:
    """A classifier with its class names.

    Args:
        found: `kerashw.predict.model_search.FoundModel`.

    Attributes:
        labels: List of strings, the names of the classes.
        image_shape: Tuple (height, width, channels).

    Raises:
        InputError: If the SavedModel cannot be loaded, or is no classifier of images.
    """

    def __init__(self, found):
        try:
            # The functions of the signatures belong to the loaded object.
            self._loaded = tf.saved_model.load(str(found.version))
            labels = (found.version / "assets.extra" / "labels.txt").read_text(encoding="utf-8")
        except (OSError, ValueError, KeyError, tf.errors.OpError) as error:
            line = str(error).splitlines()[0]
            raise InputError(
                f"{found.version} cannot be loaded: {line}. Expected an export of "
                "python -m kerashw.train. Export it again"
            ) from error
        self.labels = labels.splitlines()
        self._signatures = self._loaded.signatures
        pixels = dict(self._signatures).get("pixels")
        if pixels is None or "probabilities" not in pixels.structured_outputs:
            raise InputError(
                f"{found.version} is no classifier of images. Expected a model with the signature "
                "pixels and with probabilities. Choose another model"
            )
        (spec,) = pixels.structured_input_signature[1].values()
        self.image_shape = (*spec.shape[1:], 1)[:3]

    def predict_pixels(self, images):
        """Return the probabilities of the classes for images.

        Args:
            images: uint8 array or `kerashw.datasets.stored_array.StoredArray`
                (N, height, width), or (N, height, width, channels) in colour.

        Returns:
            float32 array (N, classes).
        """
        pixels, batches = self._signatures["pixels"], range(0, len(images), BATCH_SIZE)
        # An array of rows reads them from the disk, too.
        rows = (np.arange(start, min(start + BATCH_SIZE, len(images))) for start in batches)
        return np.concatenate(
            [pixels(image=tf.constant(images[each]))["probabilities"] for each in rows]
        )

    def predict_file(self, path):
        """Return the probabilities of the classes for an image file.

        Args:
            path: `Path`.

        Returns:
            float32 array (classes,).

        Raises:
            DataError: If the file cannot be read, or is damaged or no image.
            InputError: If the model takes no image files.
        """
        if "image_bytes" not in self._signatures:
            raise InputError(
                f"the model takes images of shape {self.image_shape}, and no image files. Use "
                "python -m kerashw.evaluate"
            )
        try:
            content = path.read_bytes()
            files = tf.constant([content])
            return self._signatures["image_bytes"](image_bytes=files)["probabilities"][0].numpy()
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}. Check the file") from error
        except tf.errors.InvalidArgumentError as error:
            raise DataError(f"{path} {_reason(error)}. Replace or leave out the file") from error


def _reason(error):
    """Return what `kerashw.preprocessing` says about a single file."""
    _, _, rest = error.message.partition("image_bytes[0] ")
    return rest.splitlines()[0].strip("[]. ") if rest else "is damaged"
