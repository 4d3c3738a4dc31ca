"""`python -m kerashw.verify`: test the claims of the homework."""
