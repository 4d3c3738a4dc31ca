"""Worker processes that train the same models with kerashw, with Keras and with PyTorch."""
