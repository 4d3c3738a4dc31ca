"""What an epoch of a model has to do at least: its operations, and the bytes it has to move.

**Operations.** A dense layer of n inputs and m outputs multiplies and adds n·m times for an
example; a k×k convolution of c channels into d, with h×w places in its output, k²·c·d·h·w times. A
multiplication and an addition count as two operations. Backpropagation does as many again for the
gradient by the weights, and as many again for the gradient by the layer's input, which the first
layer does not need. So, in operations an example, forwards, and all in all in training:

    softmax     784·10                                  15,680        31,360
    MLP         784·512, 512·512, 512·10             1,337,344     3,209,216
    ConvNet     3²·1·32·26², 3²·32·64·24²,
                9216·128, 128·10                    23,984,896    71,565,312

An epoch is 60,000 examples of training and 10,000 of test. What is not a product of matrices
(activations, max-pooling, dropout, softmax, Adadelta) is left out: no rate is known for it, and
the floor is the lower for it.

**Bytes.** A step reads the P weights forwards and backwards, writes and reads their gradients, and
Adadelta reads and writes the weights and two averages each: 10·4·P bytes. An example is 784 bytes.
Of each layer's output (A numbers an example in all) training writes and reads the values, reads
them again for the gradient by the weights, and does the same with its gradient: 6·4·A bytes; the
test writes and reads: 2·4·A. That is what reaches the memory if no cache keeps any of it; what the
caches keep, of small models nearly all, does not.
"""

import dataclasses

# Of each model: (multiplications an example, weights, outputs) of each layer.
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
class Work:
    """What a job has to do.

    Args:
        operations: Integer, multiplications and additions in products of matrices.
        moved_bytes: Integer, read and written if no cache keeps anything.
    """

    operations: int
    moved_bytes: int


def epoch(model, train_examples=60_000, test_examples=10_000, batch_size=128):
    """Return what an epoch of a model, training and test, has to do.

    Args:
        model: "softmax", "mlp" or "convnet".
        train_examples: Integer.
        test_examples: Integer.
        batch_size: Integer.

    Returns:
        `Work`.

    Example:
        >>> epoch("convnet").operations / 1e12
        4.53376768
    """
    layers = LAYERS[model]
    forward = sum(2 * products for products, _, _ in layers)
    training = 3 * forward - 2 * layers[0][0]
    weights = sum(weights for _, weights, _ in layers)
    outputs = sum(outputs for _, _, outputs in layers)
    steps = -(-train_examples // batch_size)
    return Work(
        operations=train_examples * training + test_examples * forward,
        moved_bytes=40 * weights * steps
        + train_examples * (PIXELS + 24 * outputs)
        + test_examples * (PIXELS + 8 * outputs),
    )
