import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2


def warmup_requests(version):
    """Yield the signature name and the request of each record, as TensorFlow Serving reads it."""
    file = version / "assets.extra" / "tf_serving_warmup_requests"
    for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
        log = prediction_log_pb2.PredictionLog.FromString(record)
        kind = log.WhichOneof("log_type")
        request = getattr(log, kind).request
        assert (kind == "classify_log") == (request.model_spec.signature_name == "classify")
        yield request.model_spec.signature_name, request


@pytest.mark.parametrize("name", ["softmax", "diagonal"])
def test_every_signature_that_predicts_has_warmup_requests(name, request):
    version = request.getfixturevalue(f"{name}_version")
    loaded = request.getfixturevalue(name).signatures
    sizes = {}
    for name, warmup in warmup_requests(version):
        if name == "classify":
            examples = warmup.input.example_list.examples
            inputs = {"inputs": tf.constant([each.SerializeToString() for each in examples])}
        else:
            inputs = {
                key: tf.constant(tf.make_ndarray(tensor)) for key, tensor in warmup.inputs.items()
            }
        (size,) = {len(value) for value in inputs.values()}
        assert all(len(value) == size for value in loaded[name](**inputs).values())
        sizes.setdefault(name, set()).add(size)
    assert set(sizes) == set(loaded) - {"inside", "attributions", "weights"}
    for name in set(sizes) & {"serving_default", "pixels", "feature_map"}:
        assert sizes[name] == {1, 32}
