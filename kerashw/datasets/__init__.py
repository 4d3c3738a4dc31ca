"""Data sets: MNIST, data sets of the same shape, and the generated diagonals of Question 3."""
