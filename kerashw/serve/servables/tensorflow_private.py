"""The private name of TensorFlow that the server uses.

`tests/serve/servables/test_tensorflow_private.py` fails if a release of TensorFlow drops it.
"""


def make_callable(session, options):
    """Return a function that runs a session with fixed feeds and fetches.

    The public `Session.make_callable` checks static shapes, which TensorFlow Serving does not do,
    and a call takes seven times as long. Keras' TensorFlow backend used the private one for years.

    Args:
        session: `tf.compat.v1.Session`.
        options: `CallableOptions`, a protocol buffer of TensorFlow.

    Returns:
        Function from the feeds, in their order, to the list of the fetches.
    """
    return session._make_callable_from_options(options)
