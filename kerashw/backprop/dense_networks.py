"""The dense networks of Question 4, softmax regression and the MLP, as graphs."""

from kerashw.backprop.graph import Graph, Node
from kerashw.errors import InputError


def dense_network(layers) -> Graph:
    """Build dense layers with ReLU between them, then softmax and the negative log-likelihood.

        a_i = W_i h_(i−1)     p_i = a_i + b_i     h_i = ReLU(p_i)     L = Σ −log softmax(p_n)[label]

    Args:
        layers: Integer, the number of dense layers, at least 1.

    Returns:
        `Graph` with the inputs x (m,) or (N, m), then W1 (units, m), b1 (units,) and so on for each
        layer, and labels, integers () or (N,). The output L () is summed over the batch. W is the
        transpose of the kernel of a Keras `Dense` layer.

    Raises:
        InputError: If `layers` is not a positive integer.

    Example:
        >>> print(dense_network(2))
        a1 = W1 x
        p1 = a1 + b1
        h1 = ReLU(p1)
        a2 = W2 h1
        p2 = a2 + b2
        L = H(softmax(p2), labels)

    Reference:
        The homework, Question 4.
    """
    if not isinstance(layers, int) or layers < 1:
        raise InputError(f"layers must be a positive integer. Received: {layers!r}")
    parameters, nodes, previous = [], [], "x"
    for i in range(1, layers + 1):
        parameters += [f"W{i}", f"b{i}"]
        nodes.append(Node(f"a{i}", "product", (f"W{i}", previous)))
        nodes.append(Node(f"p{i}", "bias_add", (f"a{i}", f"b{i}")))
        nodes.append(Node(f"h{i}", "relu", (f"p{i}",)))
        previous = f"h{i}"
    nodes[-1] = Node("L", "softmax_cross_entropy", (f"p{layers}", "labels"))
    return Graph(("x", *parameters, "labels"), nodes)


def softmax_regression_network() -> Graph:
    """Build softmax regression: one dense layer.

    Returns:
        `Graph`, the same as `dense_network(1)`.

    Example:
        >>> softmax_regression_network().inputs
        ('x', 'W1', 'b1', 'labels')

    Reference:
        The homework, Question 4.
    """
    return dense_network(1)


def mlp_network(hidden=2) -> Graph:
    """Build the MLP without dropout: hidden dense layers with ReLU, then softmax regression.

    Args:
        hidden: Integer, the number of hidden layers, at least 0.

    Returns:
        `Graph`, the same as `dense_network(hidden + 1)`.

    Raises:
        InputError: If `hidden` is not a natural number.

    Example:
        >>> mlp_network().inputs
        ('x', 'W1', 'b1', 'W2', 'b2', 'W3', 'b3', 'labels')

    Reference:
        The homework, Question 4.
    """
    if not isinstance(hidden, int) or hidden < 0:
        raise InputError(f"hidden must be a natural number. Received: {hidden!r}")
    return dense_network(hidden + 1)
