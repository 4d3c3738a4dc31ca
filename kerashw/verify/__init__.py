"""`python -m kerashw.verify`: measure and judge the homework's claims."""
