"""Figures of training runs, networks, models and measurements; no computing."""
