"""The second hypothesis space of the homework's Question 2, as a layer."""

import keras
import numpy as np
from keras import ops

from kerashw.errors import InputError


@keras.saving.register_keras_serializable(package="kerashw")
class FactoredDense(keras.layers.Layer):
    """A dense layer whose matrix is a product of three trained factors.

    For every input vector x it computes

        activation(((A + B) C) x + b)

    with the matrices as the homework writes them, acting on columns: A and B (units, units),
    C (units, m). The bias b is there only if asked for. `keras.layers.Dense` stores its kernel
    the other way round, (m, units); `collapse` gives the weights of the equal `Dense`.

    At the start A = I, B = 0 and C is what `Dense` would draw as its kernel, transposed. So the
    layer begins as the very function that `Dense` begins with, at the same scale and with the
    same seed: the product of three random factors could neither blow up nor fade. Nothing is
    stuck at B = 0: A and B enter as a sum, so their gradients are equal, both learn from the
    first step on, and gradient descent never changes A - B.

    Args:
        units: A positive integer, the size K of the output.
        activation: A Keras activation or its name; `None` for none.
        use_bias: Whether to add a bias; off, as in the homework.
        kernel_initializer: Draws the kernel (m, units) of the equal `Dense` at the start.
        bias_initializer: Draws the bias (units,).
        **kwargs: What every Keras layer takes: `name`, `dtype`, `trainable`.

    Input shape:
        (N, ..., m), of any rank from 2 on, floating-point.

    Output shape:
        (N, ..., units), in the compute dtype of the layer's dtype policy.

    Raises:
        InputError: If `units` is not a positive integer, or the last axis of the input has no size.

    Example:
        >>> import numpy as np
        >>> layer = FactoredDense(10, activation="softmax")
        >>> tuple(layer(np.ones((2, 784), "float32")).shape)
        (2, 10)
        >>> layer.count_params()  # 10·10 + 10·10 + 10·784
        8040

    Reference:
        The homework, Question 2, the hypothesis space H2.
    """

    def __init__(
        self,
        units,
        activation=None,
        use_bias=False,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        **kwargs,
    ):
        if not isinstance(units, int) or isinstance(units, bool) or units <= 0:
            raise InputError(f"`units` must be a positive integer. Received: units={units!r}")
        super().__init__(**kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.input_spec = keras.layers.InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape):
        """Create the factors A, B and C, and the bias if there is one."""
        features = input_shape[-1]
        if features is None:
            raise InputError(
                "The last axis of the input of FactoredDense must have a known size. "
                f"Received: input_shape={tuple(input_shape)}"
            )
        square = (self.units, self.units)
        # A and B are not cast to the compute dtype one by one: see `call`.
        self.A = self.add_weight(name="A", shape=square, initializer="identity", autocast=False)
        self.B = self.add_weight(name="B", shape=square, initializer="zeros", autocast=False)
        self.C = self.add_weight(
            name="C", shape=(self.units, features), initializer=self._transposed_kernel
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(self.units,), initializer=self.bias_initializer
            )
        self.input_spec = keras.layers.InputSpec(min_ndim=2, axes={-1: features})

    def _transposed_kernel(self, shape, dtype=None):
        # Drawn in Dense's orientation, because initializers read fan-in and fan-out off the shape.
        return ops.transpose(self.kernel_initializer(shape[::-1], dtype=dtype))

    def call(self, inputs):
        """Compute activation(((A + B) C) x + b) for every vector x along the last axis."""
        # The sum is formed at full precision and then rounded: A and B may be large and nearly
        # opposite, and in bfloat16 or float16 their difference would be lost.
        total = ops.cast(self.A + self.B, self.compute_dtype)
        # C first: a batch has to pass two small matrices, and the large product is never formed.
        outputs = ops.matmul(inputs, ops.transpose(self.C))
        outputs = ops.matmul(outputs, ops.transpose(total))
        if self.bias is not None:
            outputs = ops.add(outputs, self.bias)
        return self.activation(outputs)

    def compute_output_shape(self, input_shape):
        """Give the input's shape with the last axis replaced by `units`."""
        return (*input_shape[:-1], self.units)

    def collapse(self):
        """Give the weights of the `Dense` layer that computes the same function.

        Returns:
            What `Dense.set_weights` takes, as NumPy arrays in the layer's variable dtype: the
            kernel ((A + B) C)ᵀ of shape (m, units), then the bias (units,) if there is one. The
            product is formed in float64 and rounded once.

        Raises:
            InputError: If the layer is not built yet, so it has no factors.

        Example:
            >>> import keras
            >>> layer, dense = FactoredDense(3), keras.layers.Dense(3, use_bias=False)
            >>> layer.build((None, 5))
            >>> dense.build((None, 5))
            >>> dense.set_weights(layer.collapse())

        Reference:
            The homework, Question 2, H2 ⊆ H1.
        """
        if not self.built:
            raise InputError(
                "A FactoredDense layer must be built (called once, or `build(input_shape)`) before "
                f"it can be collapsed. Received: layer {self.name!r}, not built"
            )
        A, B, C, *bias = (np.array(ops.convert_to_numpy(weight)) for weight in self.weights)
        product = (A.astype(np.float64) + B) @ C
        return [product.T.astype(C.dtype), *bias]

    def get_config(self):
        """Give the arguments that make this layer anew."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }
