"""The private name of TensorFlow that the server uses.

`tests/serve/servables/test_tensorflow_private.py` says so when a new release of TensorFlow drops it.
"""


def make_callable(session, options):
    """Return a function that runs a session with these feeds and fetches.

    The public `Session.make_callable` checks static shapes, which TensorFlow Serving does not, and
    takes seven times as long for a call. Keras' TensorFlow backend used this one for years.

    Args:
        session: `tf.compat.v1.Session`.
        options: `CallableOptions`, a protocol buffer of TensorFlow.

    Returns:
        Function of the feeds in their order to the list of the fetches.
    """
    return session._make_callable_from_options(options)
