"""The private names of TensorFlow that this package uses, each behind one function.

TensorFlow has no public equivalent of them. If a new release of TensorFlow removes one, the tests
of this module fail with its name.
"""

# Device tuple → the number before its first group key. TensorFlow's own keys start at 1.
_group_key_bases = {}
_GROUP_KEYS_PER_DEVICES = 1000  # A strategy uses only the first ones.


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


def reserve_group_keys(strategy):
    """Give the reductions of a strategy keys that no strategy with other devices has.

    TensorFlow numbers the groups of devices in each strategy from 1, but a process knows a group
    by its number. After a strategy of two devices, one of three fails: «CPU:0 is joining a group
    with size3, but that group has size 2».

    Args:
        strategy: `tf.distribute.MirroredStrategy`. Functions that were traced under it before keep
            their keys.
    """
    extended = strategy.extended
    first = _GROUP_KEYS_PER_DEVICES * (1 + len(_group_key_bases))
    base = _group_key_bases.setdefault(extended.worker_devices, first)
    if extended._collective_key_base == base:
        return
    is_default = extended._cross_device_ops is extended._collective_ops
    extended._collective_key_base = base
    extended._collective_ops = extended._make_collective_ops_with_fallbacks()
    if is_default:
        extended._cross_device_ops = extended._collective_ops
