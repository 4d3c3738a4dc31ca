"""The private name of TensorFlow that the server uses exists."""

import tensorflow as tf


def test_sessions_have_the_name():
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        found = hasattr(session, "_make_callable_from_options")
    assert found, f"tensorflow {tf.__version__} has no Session._make_callable_from_options"
