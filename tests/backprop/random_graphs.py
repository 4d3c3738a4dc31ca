"""Random graphs with random inputs, for property-based tests."""

import numpy as np
from hypothesis import strategies as st

from kerashw.backprop import Graph, Node

ONE_ARGUMENT = ("sigmoid", "relu")
TWO_ARGUMENTS = ("add", "multiply")


@st.composite
def graphs(draw, max_nodes=7):
    """Draw a graph of random primitives, its inputs in float64, and the names of its vectors."""
    K, batch = draw(st.integers(1, 4)), draw(st.sampled_from([None, 1, 3]))
    matrices = [f"M{i}" for i in range(draw(st.integers(1, 3)))]
    vectors, nodes = ["x", "t"], []
    for i in range(draw(st.integers(1, max_nodes))):
        operation = draw(st.sampled_from(("product", "bias_add", *ONE_ARGUMENT, *TWO_ARGUMENTS)))
        arguments = [draw(st.sampled_from(vectors))]
        if operation == "product":
            arguments.insert(0, draw(st.sampled_from(matrices)))
        elif operation == "bias_add":
            arguments.append("b")
        elif operation in TWO_ARGUMENTS:
            arguments.append(draw(st.sampled_from(vectors)))
        nodes.append(Node(f"n{i}", operation, tuple(arguments)))
        vectors.append(f"n{i}")
    loss = draw(st.sampled_from(("sum", "squared_norm", "softmax_cross_entropy")))
    inputs = ["x", "t", "b", *matrices]
    if loss == "softmax_cross_entropy":
        # The sigmoid limits the logits: 1 − p loses its digits where p is close to 1.
        nodes += [Node("logits", "sigmoid", (vectors[-1],)), Node("L", loss, ("logits", "labels"))]
        inputs.append("labels")
    else:
        nodes.append(Node("L", loss, (vectors[-1],)))
    return (
        Graph(inputs, nodes),
        random_values(inputs, K, batch, draw(st.integers(0, 2**32 - 1))),
        vectors,
    )


def random_values(inputs, K, batch, seed):
    random = np.random.default_rng(seed)
    batch_shape = () if batch is None else (batch,)
    values = {}
    for name in inputs:
        if name == "labels":
            values[name] = random.integers(K, size=batch_shape)
        else:
            shape = {"x": (*batch_shape, K), "t": (*batch_shape, K), "b": (K,)}.get(name, (K, K))
            values[name] = random.normal(size=shape) / 2
    return values
