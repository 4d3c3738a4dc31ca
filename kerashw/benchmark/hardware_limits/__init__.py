"""The limits of this machine, and the work that an epoch of each model has to do."""
