"""The installed version of TensorFlow has every private name that the package uses."""

import pytest
import tensorflow as tf

from kerashw.tensorflow_private import reserve_group_keys


def test_sessions_have_the_name():
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        found = hasattr(session, "_make_callable_from_options")
    assert found, f"tensorflow {tf.__version__} has no Session._make_callable_from_options"


@pytest.mark.parametrize(
    "name",
    [
        "_collective_key_base",
        "_collective_ops",
        "_cross_device_ops",
        "_make_collective_ops_with_fallbacks",
    ],
)
def test_mirrored_strategies_have_the_name(name):
    found = hasattr(tf.distribute.MirroredStrategy(["/cpu:0"]).extended, name)
    assert found, f"tensorflow {tf.__version__} has no MirroredStrategy.extended.{name}"


def test_keys_are_reserved_once_and_never_those_of_tensorflow():
    strategies = [tf.distribute.MirroredStrategy(["/cpu:0"]) for _ in range(2)]
    for strategy in strategies * 2:
        reserve_group_keys(strategy)
    first, second = (strategy.extended._collective_key_base for strategy in strategies)
    assert first != second
    assert min(first, second) > 0


def test_the_users_way_of_reducing_is_kept():
    own = tf.distribute.ReductionToOneDevice()
    strategy = tf.distribute.MirroredStrategy(["/cpu:0"], cross_device_ops=own)
    reserve_group_keys(strategy)
    assert strategy.extended._cross_device_ops is own
    assert strategy.extended._collective_ops is not own
