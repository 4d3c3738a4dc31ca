"""Every SavedModel that TensorFlow loads is served, in whatever form and place it is."""

import pathlib
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.protobuf import saved_model_pb2

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.servables.loaded_model import LoadedModel
from kerashw.serve.servables.warmup import warm_up
from tests.places import as_other_user

v1 = tf.compat.v1
FLOATS = tf.TensorSpec([None], tf.float32, name="x")


class Vocabulary(tf.Module):
    """A variable, a table that is initialized from a file, and a call that reads the file."""

    def __init__(self, file):
        self.asset = tf.saved_model.Asset(file)
        index = tf.lookup.TextFileIndex
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(
                self.asset, tf.string, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER
            ),
            default_value=-1,
        )
        self.factor = tf.Variable(10.0)

    @tf.function(input_signature=[FLOATS])
    def serve(self, x):
        indices = self.table.lookup(tf.constant(["b", "a", "c"]))
        text = tf.io.read_file(self.asset.asset_path)
        return {"y": x + self.factor * tf.cast(indices, tf.float32), "text": text}


class Double(tf.Module):
    @tf.function(input_signature=[FLOATS])
    def serve(self, x):
        return {"y": 2 * x}


def write_v1(path, *tag_sets, variables=True, as_text=False, table=None):
    """Write a SavedModel of TensorFlow 1, with one meta graph for each set of tags."""
    builder = v1.saved_model.Builder(str(path))
    for tags in tag_sets:
        with tf.Graph().as_default(), v1.Session() as session:
            x = v1.placeholder(tf.float32, [None], name="x")
            y = x * v1.get_variable("w", initializer=float(len(tags))) if variables else 2 * x
            assets = {}
            if table:
                file = tf.constant(str(table))
                v1.add_to_collection(v1.GraphKeys.ASSET_FILEPATHS, file)
                index = tf.lookup.TextFileIndex
                words = tf.lookup.TextFileInitializer(
                    file, tf.string, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER
                )
                y += tf.cast(tf.lookup.StaticHashTable(words, -1).lookup(tf.constant("b")), "float")
                files = v1.get_collection(v1.GraphKeys.ASSET_FILEPATHS)
                assets = {"assets_collection": files, "main_op": v1.tables_initializer()}
            session.run([v1.global_variables_initializer(), v1.tables_initializer()])
            info = v1.saved_model.build_tensor_info
            signature = v1.saved_model.build_signature_def(
                {"x": info(x)}, {"y": info(y)}, "tensorflow/serving/predict"
            )
            signatures = {"signature_def_map": {"serving_default": signature}} | assets
            if tags == tag_sets[0]:
                builder.add_meta_graph_and_variables(session, tags, **signatures)
            else:
                builder.add_meta_graph(tags, **signatures)
    builder.save(as_text)


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    file = tmp_path_factory.mktemp("words") / "words.txt"
    file.write_text("a\nb\n")
    return file


def write_text(path, words):
    module = Vocabulary(str(words))
    tf.saved_model.save(module, path, signatures=module.serve)
    saved_model = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    (path / "saved_model.pb").unlink()
    (path / "saved_model.pbtxt").write_text(text_format.MessageToString(saved_model))


def write_keras(path, words):
    model = keras.Sequential([keras.Input((3,), name="x"), keras.layers.Dense(2)])
    model.export(path, verbose=False)


FORMS = {
    "of TensorFlow 2": lambda path, words: tf.saved_model.save(
        module := Vocabulary(str(words)), path, signatures=module.serve
    ),
    "text": write_text,
    "without variables": lambda path, words: tf.saved_model.save(
        module := Double(), path, signatures=module.serve
    ),
    "without signatures": lambda path, words: tf.saved_model.save(tf.Module(), path),
    "of Keras": write_keras,
    "of TensorFlow 1": lambda path, words: write_v1(path, ["serve"], table=words),
    "of TensorFlow 1, text": lambda path, words: write_v1(path, ["serve"], as_text=True),
    "of TensorFlow 1, without variables": lambda path, words: write_v1(
        path, ["serve"], variables=False
    ),
    "several graphs": lambda path, words: write_v1(path, ["train"], ["serve"], ["serve", "gpu"]),
    "several tags": lambda path, words: write_v1(path, ["serve", "gpu"]),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("form", FORMS)
# TensorFlow takes such a path as a pattern.
@pytest.mark.parametrize("folder", ["plain", r"[a]*?\é"])
def test_each_form_is_loaded_as_tensorflow_does(form, folder, words, tmp_path):
    FORMS[form](tmp_path / "written", words)
    tags = {"several graphs": ["serve"]}.get(form)
    theirs = tf.saved_model.load(tmp_path / "written", tags).signatures
    path = tmp_path / folder / "1"
    shutil.copytree(tmp_path / "written", path)
    model = LoadedModel(path)
    assert set(model.signatures) - {"__saved_model_init_op"} == set(theirs)
    shape = (2, 3) if form == "of Keras" else (3,)
    x = np.arange(6, dtype=np.float32)[: np.prod(shape)].reshape(shape)
    for name, signature in theirs.items():
        expected = signature(x=tf.constant(x))
        for output, value in model.signatures[name].run({"x": x}).items():
            if output == "text":
                assert value.item() == expected[output].numpy() == b"a\nb\n"
            else:
                np.testing.assert_allclose(value, expected[output], rtol=1e-6)
    assert warm_up(model, path) == 0


def test_an_ambiguous_choice_of_graphs_is_refused(tmp_path):
    write_v1(tmp_path / "1", ["serve", "cpu"], ["serve", "gpu"])
    with pytest.raises(RequestError, match="Could not find meta graph def matching supplied tags"):
        LoadedModel(tmp_path / "1")


def test_files_that_cannot_be_read_are_named(words, public_folder):
    """Without rights, with an error of the disk, and missing, as while a folder is deleted."""
    module, path = Vocabulary(str(words)), public_folder / "1"
    tf.saved_model.save(module, public_folder / "whole", signatures=module.serve)
    for name in (
        "",
        "saved_model.pb",
        "variables",
        "variables/variables.index",
        "variables/variables.data-00000-of-00001",
        "assets",
        "assets/words.txt",
    ):
        shutil.copytree(public_folder / "whole", path)
        file = path / name
        file.chmod(0)
        named = path / "saved_model.pb" if file == path else file
        with as_other_user():
            assert reason(path) == ("PERMISSION_DENIED", f"{named}; Permission denied")
        file.chmod(0o755)
        if file.is_file() and pathlib.Path("/proc/self/mem").exists():
            file.unlink()
            file.symlink_to("/proc/self/mem")  # reading its beginning is an I/O error
            assert reason(path) == ("UNKNOWN", f"{file}; Input/output error")
            file.unlink()
            code, message = reason(path)
            assert code == "NOT_FOUND"
            assert str(path) in message
        shutil.rmtree(path)


def reason(path):
    with pytest.raises(RequestError) as error:
        LoadedModel(path)
    return error.value.code, error.value.message
