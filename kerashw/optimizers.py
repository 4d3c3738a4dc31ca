"""Keras' optimizers with the right gradients of embeddings, and Adadelta and Adam in one kernel.

On TensorFlow, the gradient of an `Embedding`, or of any lookup of rows, has a slice for a lookup,
so a row that occurs twice in a batch has two. Keras' optimizers never add these: they square each
slice by itself, and clip by the norms of the slices. Each optimizer of this module is the one of
Keras with the same name and arguments, but adds the slices of a row before anything else. Weights
and states can be exchanged with Keras' own class. Where no row is looked up twice, and on other
backends, the results are those of Keras.

`Adadelta` has other defaults: Keras' multiplies every step by `learning_rate=0.001`, a factor that
the paper does not have. With that default, the loss of softmax regression on MNIST hardly decreases
in ten epochs.
"""

import keras

from kerashw.errors import InputError
from kerashw.keras_private import slot_variable

if keras.config.backend() == "tensorflow":
    import tensorflow as tf

    FUSED_DTYPES = (tf.float32, tf.float64)

# The kernel of Adam starts threads, which takes more time than it saves for smaller variables.
FUSED_ADAM_ELEMENTS = 2**16


class _AddsRepeatedRows:
    """Base class that adds the gradients of each row before the optimizer uses them."""

    def apply(self, grads, trainable_variables=None):
        """Update variables by their gradients."""
        return super().apply([self._add_repeated_rows(each) for each in grads], trainable_variables)

    def _add_repeated_rows(self, gradient):
        if keras.config.backend() != "tensorflow" or not isinstance(gradient, tf.IndexedSlices):
            return gradient
        rows, positions = tf.unique(gradient.indices)
        values = tf.math.unsorted_segment_sum(gradient.values, positions, tf.size(rows))
        return tf.IndexedSlices(values, rows, gradient.dense_shape)


def fused_adam_step(optimizer, gradient, variable, learning_rate):
    """Update one variable as `keras.optimizers.Adam` does, in one kernel, on TensorFlow.

    Args:
        optimizer: Built `keras.optimizers.Adam`.
        gradient: Tensor.
        variable: `tf.Variable`.
        learning_rate: Scalar tensor.

    Returns:
        Boolean; whether there is a kernel for the variable. If not, nothing happened.
    """
    large = (variable.shape.num_elements() or 0) >= FUSED_ADAM_ELEMENTS
    if not large or not _has_fused_kernel(variable):
        return False

    def handle(slots):
        return slot_variable(optimizer, slots, variable).value.handle

    dtype = variable.dtype
    beta_1, beta_2 = (tf.constant(beta, dtype) for beta in (optimizer.beta_1, optimizer.beta_2))
    step = tf.cast(optimizer.iterations + 1, dtype)
    arguments = {
        "var": variable.handle,
        "m": handle("_momentums"),
        "v": handle("_velocities"),
        # Keras rounds these to float32 in any case.
        "beta1_power": tf.cast(optimizer.beta_1, dtype) ** step,
        "beta2_power": tf.cast(optimizer.beta_2, dtype) ** step,
        "lr": tf.cast(learning_rate, dtype),
        "beta1": beta_1,
        "beta2": beta_2,
        "epsilon": tf.constant(optimizer.epsilon, dtype),
        "grad": tf.cast(gradient, dtype),
    }
    if optimizer.amsgrad:
        tf.raw_ops.ResourceApplyAdamWithAmsgrad(**arguments, vhat=handle("_velocity_hats"))
    else:
        tf.raw_ops.ResourceApplyAdam(**arguments)
    return True


class _FusedAdam(_AddsRepeatedRows):
    """Base class of `Adam` and `AdamW`."""

    def _add_repeated_rows(self, gradient):
        # Every row changes in each step, so a dense gradient is as good, and faster to add.
        is_sparse = keras.config.backend() == "tensorflow" and isinstance(
            gradient, tf.IndexedSlices
        )
        return tf.convert_to_tensor(gradient) if is_sparse else gradient

    def update_step(self, gradient, variable, learning_rate):
        """Update one variable in place; `apply` calls this."""
        is_tensorflow = keras.config.backend() == "tensorflow"
        if not is_tensorflow or not fused_adam_step(self, gradient, variable, learning_rate):
            super().update_step(gradient, variable, learning_rate)


@keras.saving.register_keras_serializable(package="kerashw")
class Adadelta(_AddsRepeatedRows, keras.optimizers.Adadelta):
    r"""Adadelta with the settings of its paper.

    For a gradient g and the decaying averages E[g²] and E[Δ²], which start at zero:

        E[g²] ← ρ E[g²] + (1 − ρ) g²
        Δ     = −√(E[Δ²] + ε) / √(E[g²] + ε) · g
        E[Δ²] ← ρ E[Δ²] + (1 − ρ) Δ²
        θ     ← θ + learning_rate · Δ

    On TensorFlow, one fused kernel (`ResourceApplyAdadelta`) computes all four lines. Its result
    equals that of Keras' update to rounding. Keras' update itself is used on other backends and for
    the gradients of embeddings.

    Args:
        learning_rate: Float, or a `keras.optimizers.schedules.LearningRateSchedule`. The paper has
            no learning rate, so the default is 1.0.
        rho: Float in [0, 1), the decay rate ρ of the two averages.
        epsilon: Positive float, ε. The paper uses 1e-6 for MNIST.
        name: String; `None` for "adadelta", "adadelta_1", …, as in Keras.
        **kwargs: Arguments of every Keras optimizer: `clipnorm`, `weight_decay`, `use_ema`, …

    Raises:
        InputError: If `rho` or `epsilon` is out of its range.

    Example:
        >>> import keras, kerashw
        >>> model = kerashw.models.softmax_regression()
        >>> model.compile(kerashw.optimizers.Adadelta(), "sparse_categorical_crossentropy")
        >>> float(model.optimizer.learning_rate)
        1.0

    Reference:
        M. D. Zeiler, *ADADELTA: An adaptive learning rate method*, 2012, arXiv:1212.5701,
        Algorithm 1 and Section 4.1.
    """

    def __init__(self, learning_rate=1.0, rho=0.95, epsilon=1e-6, name=None, **kwargs):
        if not 0 <= rho < 1 or not epsilon > 0:
            raise InputError(
                "rho must be at least 0 and below 1, and epsilon above 0. "
                f"Received: rho={rho}, epsilon={epsilon}"
            )
        super().__init__(learning_rate=learning_rate, rho=rho, epsilon=epsilon, name=name, **kwargs)

    def update_step(self, grad, variable, learning_rate):
        """Update one variable in place; `apply` calls this."""
        is_dense = keras.config.backend() == "tensorflow" and not isinstance(grad, tf.IndexedSlices)
        if is_dense and _has_fused_kernel(variable):
            tf.raw_ops.ResourceApplyAdadelta(
                var=variable.handle,
                accum=slot_variable(self, "_accumulated_grads", variable).value.handle,
                accum_update=slot_variable(self, "_accumulated_delta_vars", variable).value.handle,
                lr=tf.cast(learning_rate, variable.dtype),
                rho=tf.constant(self.rho, variable.dtype),
                epsilon=tf.constant(self.epsilon, variable.dtype),
                grad=tf.cast(grad, variable.dtype),
            )
        else:
            super().update_step(grad, variable, learning_rate)


def _has_fused_kernel(variable):
    return hasattr(variable, "handle") and variable.dtype in FUSED_DTYPES


@keras.saving.register_keras_serializable(package="kerashw")
class Adafactor(_AddsRepeatedRows, keras.optimizers.Adafactor):
    """`keras.optimizers.Adafactor` with the sum of the gradients of a repeated row."""


@keras.saving.register_keras_serializable(package="kerashw")
class Adagrad(_AddsRepeatedRows, keras.optimizers.Adagrad):
    """`keras.optimizers.Adagrad` with the sum of the gradients of a repeated row."""


@keras.saving.register_keras_serializable(package="kerashw")
class Adam(_FusedAdam, keras.optimizers.Adam):
    """`keras.optimizers.Adam` with the sum of the gradients of a repeated row.

    On TensorFlow, one kernel (`ResourceApplyAdam`) updates each variable of 65,536 elements or
    more. Its result equals that of Keras' update to rounding.
    """


@keras.saving.register_keras_serializable(package="kerashw")
class AdamW(_FusedAdam, keras.optimizers.AdamW):
    """`keras.optimizers.AdamW` with the sum of the gradients of a repeated row.

    On TensorFlow, one kernel (`ResourceApplyAdam`) updates each variable of 65,536 elements or
    more. Its result equals that of Keras' update to rounding.
    """


@keras.saving.register_keras_serializable(package="kerashw")
class Adamax(_AddsRepeatedRows, keras.optimizers.Adamax):
    """`keras.optimizers.Adamax` with the sum of the gradients of a repeated row."""


@keras.saving.register_keras_serializable(package="kerashw")
class Ftrl(_AddsRepeatedRows, keras.optimizers.Ftrl):
    """`keras.optimizers.Ftrl` with the sum of the gradients of a repeated row."""


@keras.saving.register_keras_serializable(package="kerashw")
class Lamb(_AddsRepeatedRows, keras.optimizers.Lamb):
    """`keras.optimizers.Lamb` with the sum of the gradients of a repeated row."""


@keras.saving.register_keras_serializable(package="kerashw")
class Lion(_AddsRepeatedRows, keras.optimizers.Lion):
    """`keras.optimizers.Lion` with the sum of the gradients of a repeated row."""


@keras.saving.register_keras_serializable(package="kerashw")
class Muon(_AddsRepeatedRows, keras.optimizers.Muon):
    """`keras.optimizers.Muon` with the sum of the gradients of a repeated row."""


@keras.saving.register_keras_serializable(package="kerashw")
class Nadam(_AddsRepeatedRows, keras.optimizers.Nadam):
    """`keras.optimizers.Nadam` with the sum of the gradients of a repeated row."""


@keras.saving.register_keras_serializable(package="kerashw")
class RMSprop(_AddsRepeatedRows, keras.optimizers.RMSprop):
    """`keras.optimizers.RMSprop` with the sum of the gradients of a repeated row."""


if hasattr(keras.optimizers, "ScheduleFreeAdamW"):  # since Keras 3.14

    @keras.saving.register_keras_serializable(package="kerashw")
    class ScheduleFreeAdamW(_AddsRepeatedRows, keras.optimizers.ScheduleFreeAdamW):
        """`keras.optimizers.ScheduleFreeAdamW` with the sum of the gradients of a repeated row."""


@keras.saving.register_keras_serializable(package="kerashw")
class SGD(_AddsRepeatedRows, keras.optimizers.SGD):
    """`keras.optimizers.SGD` with the sum of the gradients of a repeated row, which clipping needs.

    Without momentum, only the rows of a batch are read and written.
    """
