"""The networks of Question 4 that are made of dense layers, as graphs over the same primitives.

Source: Question 4 of the homework, softmax regression and the MLP.
"""

from kerashw.backprop.graph import Graph, Node
from kerashw.errors import InputError

__all__ = ["dense_network", "mlp_network", "softmax_regression_network"]


def dense_network(layers) -> Graph:
    """Dense layers with ReLU between them, softmax and negative log-likelihood at the end.

        a_i = W_i h_(i−1)     p_i = a_i + b_i     h_i = ReLU(p_i)     L = Σ −log softmax(p_n)[label]

    Args:
        layers: the number of dense layers, 1 or more.

    Returns:
        Graph with the inputs x (m,) or (N, m), for each layer W1 (units, m), b1 (units,) and so on,
        and integer labels () or (N,); its output L is summed over the batch. Keras holds kernels
        the other way round: W is the transpose of a `Dense` layer's kernel.

    Raises:
        InputError: layers is not a positive integer.

    >>> print(dense_network(2))
    a1 = W1 x
    p1 = a1 + b1
    h1 = ReLU(p1)
    a2 = W2 h1
    p2 = a2 + b2
    L = H(softmax(p2), labels)

    Source: Question 4.
    """
    if not isinstance(layers, int) or layers < 1:
        raise InputError(f"layers must be a positive integer. Received: {layers!r}")
    parameters, nodes, below = [], [], "x"
    for i in range(1, layers + 1):
        parameters += [f"W{i}", f"b{i}"]
        nodes.append(Node(f"a{i}", "product", (f"W{i}", below)))
        nodes.append(Node(f"p{i}", "bias_add", (f"a{i}", f"b{i}")))
        nodes.append(Node(f"h{i}", "relu", (f"p{i}",)))
        below = f"h{i}"
    nodes[-1] = Node("L", "softmax_cross_entropy", (f"p{layers}", "labels"))
    return Graph(("x", *parameters, "labels"), nodes)


def softmax_regression_network() -> Graph:
    """Softmax regression: one dense layer.

    Returns:
        Graph as `dense_network(1)`.

    >>> softmax_regression_network().inputs
    ('x', 'W1', 'b1', 'labels')

    Source: Question 4.
    """
    return dense_network(1)


def mlp_network(hidden=2) -> Graph:
    """The MLP, as it is without dropout: dense layers with ReLU, then softmax.

    Args:
        hidden: the number of hidden layers.

    Returns:
        Graph as `dense_network(hidden + 1)`.

    Raises:
        InputError: hidden is not a natural number.

    >>> mlp_network().inputs
    ('x', 'W1', 'b1', 'W2', 'b2', 'W3', 'b3', 'labels')

    Source: Question 4.
    """
    if not isinstance(hidden, int) or hidden < 0:
        raise InputError(f"hidden must be a natural number. Received: {hidden!r}")
    return dense_network(hidden + 1)
