"""Export of the models of all epochs of a training, as versions that share their graph."""

import os
import shutil
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import trackable_object_graph_pb2

from kerashw.export.models_config_writer import EPOCH_FILE
from kerashw.export.saved_model_writer import CURRENT_EPOCH, MODEL_WEIGHTS, classifier_writer
from kerashw.export.version_folder import write_versions
from kerashw.export.warmup_requests import WARMUP_REQUESTS

VARIABLES = "variables/variables"
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


def export_epochs(model, earlier_weights, directory, labels=None, *, epochs, centers_digits=None):
    """Write the models of all epochs as versions of a SavedModel.

    In a new folder, version 1 is the untrained model, version e + 1 the model after epoch e, and
    the newest version the trained model. On a disk that has hard links, all versions share their
    files except the variables. Only the trained model has warm-up requests.

    Args:
        model: The trained `keras.Model`, as for `kerashw.export.export_saved_model`.
        earlier_weights: Iterable of lists of arrays, as of `model.get_weights()`: of the untrained
            model, and after each epoch except the last.
        directory: String or `Path`, the model's base folder; created if it does not exist.
        labels: As for `kerashw.export.export_saved_model`.
        epochs: As for `kerashw.export.export_saved_model`; at least one.
        centers_digits: As for `kerashw.export.export_saved_model`.

    Returns:
        `Path` of the newest version's folder.

    Raises:
        InputError: If the model or the labels are not as for `kerashw.export.export_saved_model`.
        OSError: If a folder cannot be written. No incomplete version remains.

    Example:
        >>> import tempfile, kerashw
        >>> model = kerashw.models.softmax_regression()
        >>> epochs = [{"epoch": 1, "train_loss": 0.5, "test_loss": 0.4, "test_accuracy": 0.75}]
        >>> folder = f"{tempfile.mkdtemp()}/softmax"
        >>> newest = export_epochs(model, [model.get_weights()], folder, epochs=epochs)
        >>> for version in (1, 2):
        ...     loaded = tf.saved_model.load(f"{folder}/{version}")
        ...     int(loaded.signatures["history"](epoch=tf.constant([1]))["current_epoch"][0])
        0
        1
    """
    write_trained = classifier_writer(model, labels, epochs, centers_digits)

    def write(folder):
        trained = folder / "trained"
        write_trained(trained)
        (trained / EPOCH_FILE).write_text(f"{epochs[-1]['epoch']}\n")
        checkpoint = _Checkpoint(trained / VARIABLES)
        unshared = shutil.ignore_patterns("variables", WARMUP_REQUESTS, Path(EPOCH_FILE).name)
        newest = 1
        for epoch, weights in enumerate(earlier_weights):
            version = folder / str(epoch + 1)
            shutil.copytree(trained, version, ignore=unshared, copy_function=_link)
            (version / EPOCH_FILE).write_text(f"{epoch}\n")
            (version / VARIABLES).parent.mkdir()
            checkpoint.write(version / VARIABLES, weights, epoch)
            newest = epoch + 2
        trained.rename(folder / str(newest))

    return write_versions(directory, write)


def _link(source, target):
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copy2(source, target)


class _Checkpoint:
    """The variables of a SavedModel, to write others under the same keys.

    Args:
        prefix: `Path`, the common beginning of the paths of the files.
    """

    def __init__(self, prefix):
        reader = tf.train.load_checkpoint(str(prefix))
        self.values = {key: reader.get_tensor(key) for key in reader.get_variable_to_shape_map()}
        graph = trackable_object_graph_pb2.TrackableObjectGraph.FromString(
            self.values[_OBJECT_GRAPH]
        )
        self.nodes = graph.nodes

    def write(self, prefix, weights, epoch):
        """Write the variables of another epoch.

        Args:
            prefix: `Path`, the common beginning of the paths of the files.
            weights: List of arrays, as of `model.get_weights()`.
            epoch: Integer.
        """
        values = self.values | dict(zip(self._keys(MODEL_WEIGHTS), weights, strict=True))
        values |= dict.fromkeys(self._keys(CURRENT_EPOCH), np.int32(epoch))
        tf.raw_ops.SaveV2(
            prefix=str(prefix),
            tensor_names=list(values),
            shape_and_slices=[""] * len(values),
            tensors=list(map(tf.constant, values.values())),
        )

    def _keys(self, collection):
        """Return the keys of a list of variables, an attribute of the exported object."""
        variables = self._child(self.nodes[0], collection)
        count = len(variables.children)
        children = [self._child(variables, str(number)) for number in range(count)]
        return [child.attributes[0].checkpoint_key for child in children]

    def _child(self, node, name):
        (number,) = [child.node_id for child in node.children if child.local_name == name]
        return self.nodes[number]
