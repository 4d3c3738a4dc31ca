"""`python -m kerashw.benchmark`: speed compared with other libraries; accuracy on photographs."""
