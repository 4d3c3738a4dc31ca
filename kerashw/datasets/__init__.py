"""Data sets: MNIST and sets of its shape, and Question 3's generated diagonals."""
