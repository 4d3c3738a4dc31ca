"""The two equal hypothesis spaces of Question 2, and the maps between them.

    H1 = { softmax(W x) : W (K, m) }
    H2 = { softmax((A + B) C x) : A, B (K, K), C (K, m) }

`expand` maps a member of H1 to the same function in H2, and `collapse` maps a member of H2 to the
same function in H1. So the spaces are equal for every K and m. Gradient descent, however, takes
different steps in them: `induced_step` returns the step in H1 that a step in H2 amounts to.
`collapse_model` converts a Keras model that was trained in H2 to one in H1.
"""

from kerashw.hypotheses.hypothesis_spaces import collapse, expand, h1, h2, induced_step
from kerashw.hypotheses.model_conversion import collapse_model

__all__ = ["collapse", "collapse_model", "expand", "h1", "h2", "induced_step"]
