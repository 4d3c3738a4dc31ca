"""Question 1: a network as a graph, its derivative network, and the dual of that.

A `Graph` is a network of named nodes over a small table of primitives. Its derivative network maps
a change of one node to the change of the output. The dual network, applied to 1, is the gradient:

>>> from kerashw.backprop import homework_inputs, homework_network
>>> net = homework_network()
>>> values = net.forward(**homework_inputs(K=3))
>>> derivative = net.derivative(values, wrt="A")  # ∂G[x, A]: ΔA (3, 3) ↦ ΔL ()
>>> gradient = derivative.dual()(1.0)  # (∂G[x, A])ᵀ 1 = ∂L/∂A
>>> tuple(gradient.shape)
(3, 3)

Automatic differentiation is used only to check the results.
"""

from kerashw.backprop.closed_form_gradients import closed_form, printed_form
from kerashw.backprop.dense_networks import dense_network, mlp_network, softmax_regression_network
from kerashw.backprop.gradient_check import CheckRow, GradientCheck, check_gradients, relative_error
from kerashw.backprop.graph import Graph, Node
from kerashw.backprop.homework_graph import (
    FormComparison,
    check_algorithm,
    compare_forms,
    homework_inputs,
    homework_network,
    local_derivative_errors,
)
from kerashw.backprop.linear_network import Arrow, LinearMap, LinearNetwork, LinearNode
from kerashw.backprop.primitives import PRIMITIVES, Primitive, Rule

__all__ = [
    "PRIMITIVES",
    "Arrow",
    "CheckRow",
    "FormComparison",
    "GradientCheck",
    "Graph",
    "LinearMap",
    "LinearNetwork",
    "LinearNode",
    "Node",
    "Primitive",
    "Rule",
    "check_algorithm",
    "check_gradients",
    "closed_form",
    "compare_forms",
    "dense_network",
    "homework_inputs",
    "homework_network",
    "local_derivative_errors",
    "mlp_network",
    "printed_form",
    "relative_error",
    "softmax_regression_network",
]
