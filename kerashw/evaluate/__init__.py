"""`python -m kerashw.evaluate`: the test of a saved model."""
