"""`python -m kerashw.benchmark`: training, serving and gradients, timed beside other libraries."""
