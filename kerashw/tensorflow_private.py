"""The private names of TensorFlow that this package uses, each behind one function.

TensorFlow has no public equivalent of them. If a new release of TensorFlow removes one, the tests
of this module fail with its name.
"""

import itertools

import tensorflow as tf

# TensorFlow's own group keys start at 1. A strategy uses only the first ones of its thousand.
_GROUP_KEYS_PER_STRATEGY = 1000
_strategy_numbers = itertools.count(1)


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
    """Give the reductions of a strategy keys that no other strategy of this process has.

    TensorFlow numbers the groups of devices and their reductions in each strategy anew, but a
    process knows them by these numbers for good. After a strategy of two devices, one of three
    fails: «CPU:0 is joining a group with size3, but that group has size 2». After a strategy of the
    same devices, another one may fail: «Shape mismatch in the collective instance».

    Args:
        strategy: `tf.distribute.MirroredStrategy`. Functions that were traced under it before keep
            their keys.
    """
    extended = strategy.extended
    if extended._collective_key_base:
        return
    is_default = extended._cross_device_ops is extended._collective_ops
    extended._collective_key_base = _GROUP_KEYS_PER_STRATEGY * next(_strategy_numbers)
    extended._collective_ops = extended._make_collective_ops_with_fallbacks()
    if is_default:
        extended._cross_device_ops = extended._collective_ops


def trackable_object():
    """Return an object whose attributes are saved with it, as the class of Keras' exports.

    Unlike `tf.Module`, it can have an attribute `variables`.
    """
    return tf.__internal__.tracking.AutoTrackable()
