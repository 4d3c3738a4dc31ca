"""The arithmetic in one epoch of each model, and the memory traffic without any cache.

**Operations.** For one example, a dense layer of n inputs and m outputs does n·m multiplications
and as many additions. A k×k convolution of c channels into d channels with an output of h×w pixels
does k²·c·d·h·w of each. A multiplication and an addition count as two operations. The gradient with
respect to the weights takes as many operations as the layer itself, and the gradient with respect
to the layer's input takes as many again. The first layer does not need the latter. The operations
per example, in the forward pass and in a whole training step, are:

    softmax     784·10                                  15,680        31,360
    MLP         784·512, 512·512, 512·10             1,337,344     3,209,216
    ConvNet     3²·1·32·26², 3²·32·64·24²,
                9216·128, 128·10                    23,984,896    71,565,312

An epoch is 60,000 training examples and 10,000 test examples. Everything except matrix products is
left out (activations, max-pooling, dropout, softmax, Adadelta), because its rate is not known. The
real minimum is therefore higher.

**Bytes.** A step reads the P weights in the forward and in the backward pass, and writes and reads
their gradients. Adadelta reads and writes the weights and two averages of each. This is 10·4·P
bytes. An example has 784 bytes. For the A outputs of all layers per example, training writes and
reads the values, reads them again for the gradient with respect to the weights, and does the same
with their gradients: 6·4·A bytes. The test writes and reads them: 2·4·A bytes. This is the traffic
if no cache keeps any value. In fact, caches keep a part of the values, and nearly all of them for
small models.
"""

import dataclasses

# Model → for each layer: multiplications per example, weights, outputs.
LAYERS = {
    "softmax": [(784 * 10, 785 * 10, 10)],
    "mlp": [
        (784 * 512, 785 * 512, 512),
        (512 * 512, 513 * 512, 512),
        (512 * 10, 513 * 10, 10),
    ],
    "convnet": [
        (9 * 1 * 32 * 26**2, (9 * 1 + 1) * 32, 32 * 26**2),
        (9 * 32 * 64 * 24**2, (9 * 32 + 1) * 64, 64 * 24**2 + 64 * 12**2),
        (9216 * 128, 9217 * 128, 128),
        (128 * 10, 129 * 10, 10),
    ],
}
PIXELS = 28 * 28


@dataclasses.dataclass(frozen=True)
class EpochCost:
    """The operations and the memory traffic of one epoch.

    Args:
        operations: Integer, multiplications and additions in matrix products.
        moved_bytes: Integer, bytes read and written if no cache keeps any value.
    """

    operations: int
    moved_bytes: int


def epoch_cost(model, train_examples=60_000, test_examples=10_000, batch_size=128):
    """Return the operations and the memory traffic of one epoch, training and test.

    Args:
        model: "softmax", "mlp" or "convnet".
        train_examples: Integer.
        test_examples: Integer.
        batch_size: Integer.

    Returns:
        `EpochCost`.

    Example:
        >>> epoch_cost("convnet").operations / 1e12
        4.53376768
    """
    layers = LAYERS[model]
    forward = sum(2 * products for products, _, _ in layers)
    training = 3 * forward - 2 * layers[0][0]
    weights = sum(weights for _, weights, _ in layers)
    outputs = sum(outputs for _, _, outputs in layers)
    steps = -(-train_examples // batch_size)
    return EpochCost(
        operations=train_examples * training + test_examples * forward,
        moved_bytes=40 * weights * steps
        + train_examples * (PIXELS + 24 * outputs)
        + test_examples * (PIXELS + 8 * outputs),
    )
