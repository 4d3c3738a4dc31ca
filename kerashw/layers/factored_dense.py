"""A dense layer for the second hypothesis space of Question 2."""

import keras
import numpy as np
from keras import ops

from kerashw.errors import InputError


@keras.saving.register_keras_serializable(package="kerashw")
class FactoredDense(keras.layers.Layer):
    """A dense layer whose weight matrix is a product of trained factors.

    For every input vector x the layer computes

        activation(((A + B) C) x + b)

    A and B have the shape (units, units), C has the shape (units, m). As in the homework, the
    matrices act on columns, and there is no bias b by default. `keras.layers.Dense` stores the
    transpose, a kernel (m, units); `collapse` returns the weights of the equal `Dense`.

    Initially, A = I, B = 0, and C is the transpose of the kernel that `Dense` would draw. So the
    layer starts as the same function as `Dense` with the same seed, at the same scale. The product
    of three random factors, in contrast, could grow or vanish. B = 0 does not prevent learning: A
    and B enter as a sum, so their gradients are equal and both change from the first step on.
    Gradient descent never changes A - B.

    `kernel_regularizer` penalizes the product ((A + B) C)ᵀ, the kernel of the equal `Dense`, and
    not its factors. So both layers have the same loss. There is no `kernel_constraint`: it would
    have to change the product after each step, and a product does not determine its factors.

    Args:
        units: Positive integer, the size K of the output.
        activation: A Keras activation or its name; `None` for none.
        use_bias: Boolean, whether to add a bias; by default `False`, as in the homework.
        kernel_initializer: Initializer of the kernel (m, units) of the equal `Dense`.
        bias_initializer: Initializer of the bias (units,).
        kernel_regularizer: Regularizer of the kernel (m, units) of the equal `Dense`.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the output.
        bias_constraint: Constraint of the bias.
        **kwargs: Arguments of every Keras layer: `name`, `dtype`, `trainable`.

    Input shape:
        (N, ..., m), of rank 2 or higher, floating-point.

    Output shape:
        (N, ..., units), in the compute dtype of the layer's dtype policy.

    Raises:
        InputError: If `units` is not a positive integer, or the size of the last axis of the input
            is unknown.

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
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        bias_constraint=None,
        **kwargs,
    ):
        if not isinstance(units, int) or isinstance(units, bool) or units <= 0:
            raise InputError(f"`units` must be a positive integer. Received: units={units!r}")
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.input_spec = keras.layers.InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape):
        """Create the factors A, B and C, and the bias if `use_bias`."""
        features = input_shape[-1]
        if features is None:
            raise InputError(
                "The last axis of the input of FactoredDense must have a known size. "
                f"Received: input_shape={tuple(input_shape)}"
            )
        square = (self.units, self.units)
        # No `autocast`: `call` casts the sum of A and B to the compute dtype, not each matrix.
        self.A = self.add_weight(name="A", shape=square, initializer="identity", autocast=False)
        self.B = self.add_weight(name="B", shape=square, initializer="zeros", autocast=False)
        self.C = self.add_weight(
            name="C",
            shape=(self.units, features),
            initializer=self._transposed_kernel,
            regularizer=self.kernel_regularizer and _ProductRegularizer(self),
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = keras.layers.InputSpec(min_ndim=2, axes={-1: features})

    def _transposed_kernel(self, shape, dtype=None):
        # In the orientation of Dense: initializers derive fan-in and fan-out from the shape.
        return ops.transpose(self.kernel_initializer(shape[::-1], dtype=dtype))

    def call(self, inputs):
        """Compute activation(((A + B) C) x + b) for every vector x along the last axis."""
        # The sum is computed at full precision and then rounded. If A and B are large and nearly
        # opposite, bfloat16 and float16 would lose the small result.
        total = ops.cast(self.A + self.B, self.compute_dtype)
        # C first: a batch is multiplied by two small matrices, and (A + B) C is never computed.
        outputs = ops.matmul(inputs, ops.transpose(self.C))
        outputs = ops.matmul(outputs, ops.transpose(total))
        if self.bias is not None:
            outputs = ops.add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)

    def compute_output_shape(self, input_shape):
        """Return the input shape with the last axis replaced by `units`."""
        return (*input_shape[:-1], self.units)

    def collapse(self):
        """Return the weights of the `Dense` layer that computes the same function.

        Returns:
            List for `Dense.set_weights` of NumPy arrays in the layer's variable dtype: the kernel
            ((A + B) C)ᵀ of shape (m, units), then the bias (units,) if there is one. The product is
            computed in float64 and rounded once.

        Raises:
            InputError: If the layer is not built yet and so has no factors.

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
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
        }


class _ProductRegularizer(keras.regularizers.Regularizer):
    """The layer's `kernel_regularizer` of ((A + B) C)ᵀ, as the regularizer of the variable C.

    So Keras adds the loss once, however often the layer is called, and none if it is not trained.
    """

    def __init__(self, layer):
        self.layer = layer

    def __call__(self, C):
        kernel = ops.transpose(ops.matmul(self.layer.A + self.layer.B, C))
        return self.layer.kernel_regularizer(kernel)
