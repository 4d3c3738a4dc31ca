"""`python -m kerashw.predict`: what a saved model answers to pictures."""
