"""Dropout with fewer random bits."""

import keras

if keras.config.backend() == "tensorflow":
    import tensorflow as tf

# Random numbers are drawn as words of 32 bits.
WORD = 32


@keras.saving.register_keras_serializable(package="kerashw")
class Dropout(keras.layers.Dropout):
    """Keras' dropout with a half or a quarter of its random bits, on TensorFlow.

    Keras draws 32 random bits for each unit; for small models that is a large part of a training
    step. To drop a unit with probability p, b bits are enough where p is a multiple of 2⁻ᵇ. Here it
    is 8 bits where they are enough, as for p = 1/4 or 1/2, and else 16, with p rounded to the
    nearest multiple of 2⁻¹⁶, which is at most 8·10⁻⁶ off. What is kept is divided by the
    probability with which it is, so that the expected output is the input.

    What is dropped is multiplied by 0 instead of selected, forwards and backwards; so of a unit
    that is dropped and is not finite comes NaN, where Keras has 0.

    On other backends, with a `noise_shape`, and for p below 0.01 or above 0.99, it is Keras' own.

    Args:
        rate: Float in [0, 1], p, the share of the units that is dropped in training.
        noise_shape: As in `keras.layers.Dropout`.
        seed: Integer, or `None` for a random one.
        **kwargs: What every Keras layer takes: `name`, `dtype`.

    Input shape, output shape:
        Any; floats. Outside training, the output is the input.

    Raises:
        ValueError: If `rate` is not in [0, 1].

    Example:
        >>> import numpy as np
        >>> layer = Dropout(0.25, seed=1)
        >>> dropped = np.asarray(layer(np.ones((100, 1000), "float32"), training=True))
        >>> sorted(set(dropped.ravel().tolist()))
        [0.0, 1.3333333730697632]
        >>> abs(float(dropped.mean()) - 1) < 0.01
        True

    Reference:
        N. Srivastava et al., *Dropout: A Simple Way to Prevent Neural Networks from Overfitting*,
        2014, Journal of Machine Learning Research 15.
    """

    def call(self, inputs, training=False):
        """Drop units of the inputs, in training."""
        as_keras = keras.config.backend() != "tensorflow" or self.noise_shape is not None
        if not training or as_keras or not 0.01 <= self.rate <= 0.99:
            return super().call(inputs, training=training)
        bits, level = _bits_and_level(self.rate)
        size = tf.size(inputs)
        words = -(-size // (WORD // bits))
        seed = tf.cast(self.seed_generator.next(), tf.int64)
        drawn = tf.random.stateless_uniform((words,), seed, None, None, tf.uint32)
        drawn = tf.reshape(tf.bitcast(drawn, getattr(tf, f"int{bits}")), [-1])[:size]
        # Of all integers of so many bits, the `level` lowest are those that drop a unit.
        kept = tf.cast(drawn >= level - 2 ** (bits - 1), inputs.dtype) * (1 / (1 - level / 2**bits))
        return inputs * tf.reshape(kept, tf.shape(inputs))


def _bits_and_level(rate):
    """Return b and n, the rate being n·2⁻ᵇ, or, where b is 16, rounded to that."""
    bits = 8 if rate * 2**8 % 1 == 0 else 16
    return bits, round(rate * 2**bits)
