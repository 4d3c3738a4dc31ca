"""JSON as TensorFlow Serving reads and writes it, to and from tensors."""
