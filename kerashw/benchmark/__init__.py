"""`python -m kerashw.benchmark`: the speed of training, serving and gradients, compared."""
