"""A dense layer that takes its products in the order which TensorFlow is fast at, on CPUs."""

import keras

if keras.config.backend() == "tensorflow":
    import tensorflow as tf

    @tf.custom_gradient
    def _product_of_many_units(x, kernel):
        def gradients(dy):
            # As a batch of one, which has another kernel in TensorFlow than a plain product.
            (by_x,) = tf.unstack(tf.matmul(dy[tf.newaxis], kernel[tf.newaxis], transpose_b=True))
            return by_x, tf.matmul(x, dy, transpose_a=True)

        return tf.matmul(x, kernel), gradients

    @tf.custom_gradient
    def _product_of_few_units(x, kernel):
        unit = tf.eye(kernel.shape[1], dtype=kernel.dtype)

        def transposed(matrix):
            # Exact for finite numbers, and TensorFlow's own transposition takes several times as
            # long for a matrix as narrow as these.
            return tf.matmul(matrix, unit, transpose_a=True)

        def gradients(dy):
            by_x = tf.matmul(dy, kernel, transpose_b=True)
            return by_x, transposed(tf.matmul(dy, x, transpose_a=True))

        kernel_transposed = tf.matmul(unit, kernel, transpose_b=True)
        return transposed(tf.matmul(kernel_transposed, x, transpose_b=True)), gradients


# Where `python -m kerashw.benchmark`'s machine is faster so, for batches of 128.
MANY_NUMBERS = 2**16
FEW_UNITS, OF_FEATURES = 10, 512


@keras.saving.register_keras_serializable(package="kerashw")
class Dense(keras.layers.Dense):
    """Keras' dense layer with faster products, for training on CPUs.

    Of the products that y = x K + b and its gradients consist of, two are slow in TensorFlow:

    - ∂y Kᵀ, the gradient by x: the product with a transposed second matrix takes up to twice the
      time of others. The product of batches of matrices does not, so it is taken as a batch of one.
      This is for kernels of more than 65,536 numbers.
    - x K and xᵀ ∂y for few units: their rows do not fill the processor's vectors. So (Kᵀ xᵀ)ᵀ and
      (∂yᵀ x)ᵀ are taken instead, in half the time. This is for up to 10 units of at least 512
      features.

    This is done in training, in graphs of TensorFlow (`fit`, `tf.function`) where there are only
    CPUs, in float32, for inputs (N, features). Everything else is Keras' own, and so are all finite
    numbers but for rounding; where there are few units, one that is not finite makes all units of
    the same example NaN.

    Args:
        units: Positive integer.
        **kwargs: As in `keras.layers.Dense`.

    Input shape, output shape:
        (…, features) → (…, units); floats.

    Example:
        >>> import numpy as np
        >>> layer = Dense(512, activation="relu")
        >>> tuple(layer(np.ones((2, 784), "float32"), training=True).shape)
        (2, 512)
    """

    def call(self, inputs, training=None):
        """Return the activation of x K + b."""
        product = self.faster_product(inputs) if training is True else None
        # Eagerly, the gradient by the input would be computed even where nobody wants it.
        if product is None or tf.executing_eagerly():
            return super().call(inputs, training=training)
        x = product(inputs, tf.convert_to_tensor(self.kernel))
        if self.bias is not None:
            x = keras.ops.add(x, self.bias)
        return x if self.activation is None else self.activation(x)

    def quantize(self, mode=None, **settings):
        """Quantize as Keras' own layer, which refuses all others unless it is told not to."""
        return super().quantize(mode, **settings | {"type_check": False})

    def faster_product(self, inputs):
        """Return a function of such inputs and a kernel, or `None` where Keras' own is as fast."""
        if (
            keras.config.backend() != "tensorflow"
            or isinstance(inputs, tf.SparseTensor)
            or len(inputs.shape) != 2
            or not inputs.dtype == self.kernel.dtype == "float32"
            or {device.device_type for device in tf.config.list_logical_devices()} != {"CPU"}
        ):
            return None
        features, units = self.kernel.shape
        if units <= FEW_UNITS and features >= OF_FEATURES:
            return _product_of_few_units
        return _product_of_many_units if features * units > MANY_NUMBERS else None
