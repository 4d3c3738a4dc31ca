"""Dropout that draws fewer random bits."""

import keras

if keras.config.backend() == "tensorflow":
    import tensorflow as tf

# TensorFlow draws random numbers as words of 32 bits.
WORD_BITS = 32


@keras.saving.register_keras_serializable(package="kerashw")
class Dropout(keras.layers.Dropout):
    """Keras' dropout with a half or a quarter of its random bits, on TensorFlow.

    Keras draws 32 random bits for each unit, which is a large part of a training step of small
    models. To drop a unit with probability p, b bits are enough if p is a multiple of 2⁻ᵇ. This
    layer draws 8 bits where they are enough, as for p = 1/4 or 1/2. Otherwise it draws 16 bits and
    rounds p to the nearest multiple of 2⁻¹⁶, an error of at most 8·10⁻⁶. Units that are kept are
    divided by the exact probability of being kept, so the expected output is the input.

    The layer is Keras' own on other backends, with a `noise_shape`, and for p below 0.01 or above
    0.99.

    Args:
        rate: Float in [0, 1], the probability p with which a unit is dropped in training.
        noise_shape: As in `keras.layers.Dropout`.
        seed: Integer, or `None` for a random seed.
        **kwargs: Arguments of every Keras layer: `name`, `dtype`.

    Input shape, output shape:
        Any; floats. Outside training, the output is the input.

    Raises:
        ValueError: If `rate` is not in [0, 1], or, in training, if the inputs are not floats.

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
        """Drop units of the inputs in training."""
        if (
            not training
            or keras.config.backend() != "tensorflow"
            or self.noise_shape is not None
            or not 0.01 <= self.rate <= 0.99
            or not tf.as_dtype(inputs.dtype).is_floating  # an error in Keras
        ):
            return super().call(inputs, training=training)
        bits, threshold = _bits_and_threshold(self.rate)
        size = tf.size(inputs)
        words = -(-size // (WORD_BITS // bits))
        seed = tf.cast(self.seed_generator.next(), tf.int64)
        drawn = tf.random.stateless_uniform((words,), seed, None, None, tf.uint32)
        drawn = tf.reshape(tf.bitcast(drawn, getattr(tf, f"int{bits}")), [-1])[:size]
        # The `threshold` lowest of the 2**bits signed integers drop a unit.
        kept = tf.cast(drawn >= threshold - 2 ** (bits - 1), inputs.dtype)
        scale = 1 / (1 - threshold / 2**bits)
        # The product with 0 is 0 even for units that are not finite.
        return tf.math.multiply_no_nan(inputs, tf.reshape(kept * scale, tf.shape(inputs)))


def _bits_and_threshold(rate):
    """Return b and n such that n·2⁻ᵇ is the rate, exactly if b is 8, else rounded."""
    bits = 8 if rate * 2**8 % 1 == 0 else 16
    return bits, round(rate * 2**bits)
