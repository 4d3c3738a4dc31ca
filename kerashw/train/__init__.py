"""`python -m kerashw.train`: train, evaluate, draw and export the models."""
