"""The data: MNIST and data sets of its shape."""
