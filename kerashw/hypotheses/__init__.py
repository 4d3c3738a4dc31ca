"""Question 2: two equal hypothesis spaces, and the way from one into the other.

    H1 = { softmax(W x) : W (K, m) }
    H2 = { softmax((A + B) C x) : A, B (K, K), C (K, m) }

`expand` takes a member of H1 to the same function in H2, `collapse` brings every member of H2
back; so the sets are equal for every K and m. `induced_step` shows what the homework does not
say: gradient descent walks differently in them. `collapse_model` is the use of it: train in H2,
serve in H1.
"""

from kerashw.hypotheses.model_collapse import collapse_model
from kerashw.hypotheses.weight_maps import collapse, expand, h1, h2, induced_step

__all__ = ["collapse", "collapse_model", "expand", "h1", "h2", "induced_step"]
