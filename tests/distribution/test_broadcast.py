"""The chief's bytes are broadcast; the tests of training with several workers also use it."""

import os

import tensorflow as tf

from kerashw.distribution import broadcast


def test_a_single_worker_gets_its_own_bytes():
    for content in (b"", os.urandom(9)):
        assert broadcast(tf.distribute.get_strategy(), content) == content
