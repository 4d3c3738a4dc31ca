"""A dense layer whose matrix products are in the orientation that TensorFlow computes fastest."""

import keras

if keras.config.backend() == "tensorflow":
    import tensorflow as tf

    @tf.custom_gradient
    def _product_with_large_kernel(x, kernel):
        def gradients(dy):
            # TensorFlow computes a batch of one with another routine than a plain product.
            (dx,) = tf.unstack(tf.matmul(dy[tf.newaxis], kernel[tf.newaxis], transpose_b=True))
            return dx, tf.matmul(x, dy, transpose_a=True)

        return tf.matmul(x, kernel), gradients

    @tf.custom_gradient
    def _product_with_few_units(x, kernel):
        identity = tf.eye(kernel.shape[1], dtype=kernel.dtype)

        def transpose(matrix):
            # The product is exact for finite numbers. For matrices this narrow, `tf.transpose` is
            # several times as slow.
            return tf.matmul(matrix, identity, transpose_a=True)

        def gradients(dy):
            dx = tf.matmul(dy, kernel, transpose_b=True)
            return dx, transpose(tf.matmul(dy, x, transpose_a=True))

        kernel_transposed = tf.matmul(identity, kernel, transpose_b=True)
        return transpose(tf.matmul(kernel_transposed, x, transpose_b=True)), gradients


# Measured with `python -m kerashw.benchmark` for batches of 128: larger kernels, and kernels of at
# most so many units and at least so many features, are faster with the products above.
LARGE_KERNEL = 2**16
FEW_UNITS, MANY_FEATURES = 10, 512


@keras.saving.register_keras_serializable(package="kerashw")
class Dense(keras.layers.Dense):
    """Keras' dense layer with faster matrix products, for training on CPUs.

    Two of the products in y = x K + b and its gradients are slow in TensorFlow:

    - The gradient with respect to x, ∂y Kᵀ, is up to twice as slow as the other products, because
      its second matrix is transposed. A product of batches of matrices does not have this cost. So
      the layer computes it as a batch of one, for kernels of more than 65,536 numbers.
    - x K and xᵀ ∂y are slow for few units, because their rows do not fill the processor's vectors.
      The layer computes (Kᵀ xᵀ)ᵀ and (∂yᵀ x)ᵀ instead, in half the time, for up to 10 units of at
      least 512 features.

    The layer uses these products for training in TensorFlow graphs (`fit`, `tf.function`) on
    machines with CPUs only, in float32, for inputs (N, features). In all other cases it is Keras'
    own layer. Finite results equal those of Keras' layer to rounding. With few units, one unit that
    is not finite makes all units of the same example NaN.

    Args:
        units: Positive integer.
        **kwargs: Arguments of `keras.layers.Dense`.

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
        # In eager mode, a custom gradient is computed with respect to x even where it is not used.
        if product is None or tf.executing_eagerly():
            return super().call(inputs, training=training)
        x = product(inputs, tf.convert_to_tensor(self.kernel))
        if self.bias is not None:
            x = keras.ops.add(x, self.bias)
        return x if self.activation is None else self.activation(x)

    def quantize(self, mode=None, type_check=True, config=None):
        """Quantize the layer; as in Keras, `type_check` refuses subclasses."""
        # Keras' check accepts only its own `Dense`, so this class itself must not be checked.
        is_subclass = type(self) is not Dense
        return super().quantize(mode, type_check=type_check and is_subclass, config=config)

    def faster_product(self, inputs):
        """Return a function of inputs and kernel, or `None` where Keras' product is as fast."""
        if (
            keras.config.backend() != "tensorflow"
            or isinstance(inputs, tf.SparseTensor)
            or len(inputs.shape) != 2
            or not inputs.dtype == self.kernel.dtype == "float32"
            or {device.device_type for device in tf.config.list_logical_devices()} != {"CPU"}
        ):
            return None
        features, units = self.kernel.shape
        if units <= FEW_UNITS and features >= MANY_FEATURES:
            return _product_with_few_units
        return _product_with_large_kernel if features * units > LARGE_KERNEL else None
