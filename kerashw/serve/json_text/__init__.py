"""JSON as TensorFlow Serving reads and writes it, and its conversion to and from tensors."""
