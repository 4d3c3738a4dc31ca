"""Train a model whose inputs share an embedding by every optimizer, on any backend of Keras.

`python -m tests.embedding_training OUTPUT MODULE` takes the optimizers from MODULE, and writes the
weights to OUTPUT.
"""

import importlib
import sys

import keras
import numpy as np

# Without ScheduleFreeAdamW, which Keras computes differently on its backends for dense layers too.
NAMES = ["Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion"]
NAMES += ["Nadam", "RMSprop", "SGD"]
OPTIONS = [{}, {"clipnorm": 0.02}, {"global_clipnorm": 0.02}, {"gradient_accumulation_steps": 2}]


def trained(optimizer):
    random = np.random.default_rng(0)
    inputs = [keras.Input((3,), dtype="int32") for _ in range(2)]
    embedding, average = keras.layers.Embedding(5, 3), keras.layers.GlobalAveragePooling1D()
    joined = keras.layers.Concatenate()([average(embedding(each)) for each in inputs])
    model = keras.Model(inputs, keras.layers.Dense(2)(joined))
    model.set_weights([random.normal(size=weight.shape) for weight in model.get_weights()])
    model.compile(optimizer, "mse")
    for _ in range(4):
        words = [random.integers(5, size=(8, 3)) for _ in inputs]
        model.train_on_batch(words, random.normal(size=(8, 2)))
    return np.concatenate([weight.ravel() for weight in model.get_weights()])


def main(output, module):
    optimizers = importlib.import_module(module)
    results = {}
    for name in NAMES:
        # Adadelta's defaults are others there.
        settings = {"rho": 0.95, "epsilon": 1e-6} if name == "Adadelta" else {}
        for option in OPTIONS:
            optimizer = getattr(optimizers, name)(0.1, **settings, **option)
            results[" ".join([name, *option])] = trained(optimizer)
    np.savez(output, **results)


if __name__ == "__main__":
    main(*sys.argv[1:])
