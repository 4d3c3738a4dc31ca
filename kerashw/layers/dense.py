"""A dense layer whose gradient by its input is not the slow one of TensorFlow's products."""

import keras

if keras.config.backend() == "tensorflow":
    import tensorflow as tf

    @tf.custom_gradient
    def _product(x, kernel):
        def gradients(dy):
            # As a batch of one, which has another kernel in TensorFlow than a plain product.
            (by_x,) = tf.unstack(tf.matmul(dy[tf.newaxis], kernel[tf.newaxis], transpose_b=True))
            return by_x, tf.matmul(x, dy, transpose_a=True)

        return tf.matmul(x, kernel), gradients


# Below it, neither of the two kernels is faster.
LARGE = 2**16


@keras.saving.register_keras_serializable(package="kerashw")
class Dense(keras.layers.Dense):
    """Keras' dense layer with a faster gradient by its input, for training on CPUs.

    The gradient of y = x K + b by x is ∂y Kᵀ. TensorFlow's product with a transposed second matrix
    takes up to twice the time of the same product otherwise, in float32 on a CPU; not so its
    product of batches of matrices. Here it is taken as a batch of one, where that helps: in
    training, on TensorFlow without a GPU, in float32, for inputs (N, features) and a kernel of more
    than 65,536 numbers. Everything else is Keras' own, and so are all numbers but for rounding.

    Args:
        units: Positive integer.
        **kwargs: As in `keras.layers.Dense`.

    Input shape, output shape:
        (…, features) → (…, units); floats.

    Example:
        >>> import numpy as np
        >>> layer = Dense(512, activation="relu")
        >>> layer(np.ones((2, 784), "float32"), training=True).shape
        TensorShape([2, 512])
    """

    def call(self, inputs, training=None):
        """Return the activation of x K + b."""
        if not (training and self._is_faster(inputs)):
            return super().call(inputs, training=training)
        x = _product(inputs, tf.convert_to_tensor(self.kernel))
        if self.bias is not None:
            x = keras.ops.add(x, self.bias)
        return x if self.activation is None else self.activation(x)

    def _is_faster(self, inputs):
        return (
            keras.config.backend() == "tensorflow"
            and len(inputs.shape) == 2
            and inputs.dtype == self.kernel.dtype == "float32"
            and self.kernel.shape[0] * self.kernel.shape[1] > LARGE
            and not tf.config.list_logical_devices("GPU")
        )
