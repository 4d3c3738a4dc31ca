"""Picture files decoded as the splits of a data set; damaged ones are left out and named."""

import functools
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from kerashw.datasets.prepared_splits import BATCH_SIZE, Split, several_sizes_error
from kerashw.errors import DataError


def decode(root, splits, image_size, metadata):
    """Return the splits of a folder of pictures, to be decoded.

    Args:
        root: `Path` of the folder, for messages.
        splits: Dict, the name of a split → list of pairs of the `Path` of a picture and the number
            of its class.
        image_size: Pair of integers, height and width, to scale the pictures to; by default the
            size of the first one, which all must have.
        metadata: Dict to which decoding adds what it finds: to the list `damaged`, the paths of
            files in the folder, and to the dict `content`, the SHA-256 of each split.

    Returns:
        Dict of `PictureSplit` by name.

    Raises:
        DataError: If no file can be decoded.
    """
    files = [path for pictures in splits.values() for path, _ in pictures]
    sizes = (found[0] for found in map(_Decoder((1, 1), 3), files) if found)
    first = next(sizes, None)
    if first is None:
        raise DataError(
            f"{root} has no picture that can be decoded. Expected PNG, JPEG, GIF or BMP images"
        )
    size = tuple(image_size or first)
    shape = size if _are_grey(files) else (*size, 3)
    return {
        name: PictureSplit(root, name, pictures, shape, image_size is None, metadata)
        for name, pictures in splits.items()
    }


class PictureSplit(Split):
    """The pictures of a split, which are decoded when they are needed.

    Args:
        root: As for `decode`.
        name: String, the name of the split.
        pictures: As for `decode`.
        image_shape: As for `Split`.
        must_fit: Boolean; whether pictures of another size are an error.
        metadata: As for `decode`.
    """

    def __init__(self, root, name, pictures, image_shape, must_fit, metadata):
        super().__init__(len(pictures), image_shape, self._batches)
        self.root, self.name, self.pictures = root, name, pictures
        self.must_fit, self.metadata = must_fit, metadata

    def exclude_damaged(self):
        """Decode all files once, and leave out those that are damaged."""
        decoded = [index for indices, _ in self._scaled() for index in indices]
        self.pictures = [self.pictures[index] for index in decoded]
        self.length = len(self.pictures)

    def _batches(self):
        digest = hashlib.sha256()
        for indices, images in self._scaled():
            labels = np.array([self.pictures[index][1] for index in indices], np.int64)
            digest.update(images.tobytes() + labels.astype("<i8").tobytes())
            yield images, labels
        self.metadata["content"][self.name] = digest.hexdigest()

    def _scaled(self):
        """Yield the indices of pictures and an array of them; name those that are damaged."""
        size, channels = self.image_shape[:2], 3 if self.image_shape[2:] else 1
        decode = _Decoder(size, channels)
        with ThreadPoolExecutor(os.cpu_count()) as executor:
            for start in range(0, len(self.pictures), BATCH_SIZE):
                paths = [path for path, _ in self.pictures[start : start + BATCH_SIZE]]
                found = dict(enumerate(executor.map(decode, paths), start))
                whole = {index: image for index, image in found.items() if image}
                self._name_damaged(found.keys() - whole.keys())
                other = [own for own, _ in whole.values() if own != size]
                if self.must_fit and other:
                    raise several_sizes_error(self.root, size, other[0])
                if whole:
                    yield list(whole), np.stack([image for _, image in whole.values()])

    def _name_damaged(self, indices):
        paths = (self.pictures[index][0] for index in indices)
        self.metadata["damaged"] += sorted(str(path.relative_to(self.root)) for path in paths)


class _Decoder:
    """Decodes and scales a file, as a served model does.

    Args:
        size: Pair of integers, height and width.
        channels: Integer, 1 or 3.
    """

    def __init__(self, size, channels):
        self.size, self.channels, self.graph = size, channels, _graph(channels)

    def __call__(self, path):
        """Return the size of a picture and the scaled picture; `None` if the file is damaged."""
        import tensorflow as tf

        try:
            size, image = self.graph(tf.constant(path.read_bytes()), tf.constant(self.size))
        except (OSError, tf.errors.OpError):
            return None
        return tuple(size.numpy().tolist()), image.numpy()


@functools.cache
def _graph(channels):
    """Return the decoder as a graph, which is traced only once. It fails if a served model does."""
    import tensorflow as tf

    from kerashw.preprocessing import image_decoding, image_formats
    from kerashw.preprocessing.picture_scaling import scale_picture

    @tf.function(
        input_signature=[tf.TensorSpec((), tf.string), tf.TensorSpec(2, tf.int32)], autograph=False
    )
    def decode(file, size):
        is_within_limit = image_decoding.pixel_count(file) <= image_decoding.pixel_limit(file)
        is_served = [image_formats.is_decodable(file), is_within_limit]
        with tf.control_dependencies([tf.debugging.Assert(each, [""]) for each in is_served]):
            picture = image_decoding.decode_image(tf.identity(file))
        picture = tf.ensure_shape(picture, (None, None, 4))
        scaled = scale_picture(picture, size[0], size[1], channels)
        return tf.shape(picture)[:2], scaled[..., 0] if channels == 1 else scaled

    with tf.device("CPU"):  # The results are the same on every machine.
        return decode.get_concrete_function()


def _are_grey(paths):
    """Return whether all pictures are stored in grey levels."""
    return all(_is_grey(path) for path in paths)


def _is_grey(path):
    import tensorflow as tf

    from kerashw.preprocessing import image_formats

    try:
        file = path.read_bytes()
        return not image_formats.is_decodable(file) or bool(image_formats.is_grey(file))
    except (OSError, tf.errors.OpError):
        return True  # A damaged file says nothing about the others.
