"""Plots of training runs, networks, models and measurements, without any computation."""
