"""The optimizers of Keras in NumPy, from the formulas of their papers: a reference for tests.

A rule has the name, in lower case, and the settings of a class of Keras. It computes the step t of
a variable x with the gradient g: it changes the state s, and returns the new x. Steps count from 1.
`train` has the arguments that all classes share.
"""

import numpy as np


class State:
    """What a rule remembers of one variable; zero until the rule sets it, as in the papers."""

    def __init__(self, start):
        self.start = start

    def __getattr__(self, name):
        return 0.0


def sgd(x, g, s, t, rate, momentum=0.0, nesterov=False):
    """Sutskever et al., 2013, On the importance of initialization and momentum in deep learning.

    With Nesterov's momentum, x is the point where the gradient is computed.
    """
    s.v = momentum * s.v - rate * g
    return x + (momentum * s.v - rate * g if nesterov else s.v)


def rmsprop(x, g, s, t, rate, rho, epsilon, momentum=0.0, centered=False):
    """Tieleman and Hinton, 2012, Lecture 6.5; centered as in Graves, 2013, arXiv:1308.0850."""
    s.square = rho * s.square + (1 - rho) * g**2
    s.mean = rho * s.mean + (1 - rho) * g
    variance = s.square - s.mean**2 if centered else s.square
    s.v = momentum * s.v + rate * g / np.sqrt(variance + epsilon)
    return x - s.v


def adagrad(x, g, s, t, rate, initial_accumulator_value, epsilon):
    """Duchi et al., 2011, Adaptive subgradient methods."""
    s.squares = s.squares + g**2
    return x - rate * g / np.sqrt(initial_accumulator_value + s.squares + epsilon)


def adadelta(x, g, s, t, rate, rho, epsilon):
    """Zeiler, 2012, arXiv:1212.5701, Algorithm 1."""
    s.square = rho * s.square + (1 - rho) * g**2
    step = -np.sqrt(s.step_square + epsilon) / np.sqrt(s.square + epsilon) * g
    s.step_square = rho * s.step_square + (1 - rho) * step**2
    return x + rate * step


def update_moments(g, s, beta_1, beta_2):
    s.m = beta_1 * s.m + (1 - beta_1) * g
    s.v = beta_2 * s.v + (1 - beta_2) * g**2


def adam(x, g, s, t, rate, beta_1, beta_2, epsilon, amsgrad=False):
    """Kingma and Ba, 2015, arXiv:1412.6980, with the faster order of operations of Section 2.

    AMSGrad is that of Reddi et al., 2018, arXiv:1904.09237, with Adam's corrections of the biases.
    """
    update_moments(g, s, beta_1, beta_2)
    s.largest = np.maximum(s.largest, s.v)
    alpha = rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    return x - alpha * s.m / (np.sqrt(s.largest if amsgrad else s.v) + epsilon)


adamw = adam  # `train` decays the weights.


def adamax(x, g, s, t, rate, beta_1, beta_2, epsilon):
    """Kingma and Ba, 2015, arXiv:1412.6980, Algorithm 2."""
    s.m = beta_1 * s.m + (1 - beta_1) * g
    s.u = np.maximum(beta_2 * s.u, np.abs(g))
    return x - rate / (1 - beta_1**t) * s.m / (s.u + epsilon)


def nadam(x, g, s, t, rate, beta_1, beta_2, epsilon):
    """Dozat, 2016, Incorporating Nesterov momentum into Adam.

    In the report, the exponent of 0.96 is t / 250.
    """
    update_moments(g, s, beta_1, beta_2)
    mu = beta_1 * (1 - 0.5 * 0.96 ** np.arange(1, t + 2))
    now, product, next_product = mu[-2], np.prod(mu[:-1]), np.prod(mu)
    m = mu[-1] * s.m / (1 - next_product) + (1 - now) * g / (1 - product)
    return x - rate * m / (np.sqrt(s.v / (1 - beta_2**t)) + epsilon)


def lamb(x, g, s, t, rate, beta_1, beta_2, epsilon):
    """You et al., 2020, arXiv:1904.00962, Algorithm 2."""
    update_moments(g, s, beta_1, beta_2)
    step = s.m / (1 - beta_1**t) / (np.sqrt(s.v / (1 - beta_2**t)) + epsilon)
    norm, step_norm = np.linalg.norm(x), np.linalg.norm(step)
    return x - rate * (norm / step_norm if norm > 0 and step_norm > 0 else 1) * step


def lion(x, g, s, t, rate, beta_1, beta_2):
    """Chen et al., 2023, arXiv:2302.06675, Algorithm 2."""
    step = np.sign(beta_1 * s.m + (1 - beta_1) * g)
    s.m = beta_2 * s.m + (1 - beta_2) * g
    return x - rate * step


def adafactor(x, g, s, t, rate, beta_2_decay, epsilon_1, epsilon_2, clip_threshold):
    """Shazeer and Stern, 2018, arXiv:1804.04235, Algorithms 4 and 5."""

    def average(old, new):
        return (1 - t**beta_2_decay) * old + t**beta_2_decay * new

    square = g**2 + epsilon_1
    if x.ndim < 2:
        s.v = average(s.v, square)
    else:
        s.rows = average(s.rows, square.mean(-1))
        s.columns = average(s.columns, square.mean(-2))
        s.v = np.outer(s.rows, s.columns) / s.rows.mean()
    step = g / np.sqrt(s.v)
    step = step / max(1, root_mean_square(step) / clip_threshold)
    return x - max(epsilon_2, root_mean_square(x)) * min(rate, 1 / np.sqrt(t)) * step


def root_mean_square(x):
    return np.sqrt(np.mean(x**2))


def ftrl(x, g, s, t, rate, learning_rate_power, initial_accumulator_value, beta, **settings):
    """McMahan et al., 2013, Ad click prediction, Algorithm 1.

    Keras doubles the strength of l2, and adds the gradient of shrinkage · x² to that of the loss.
    """
    kinds = "l1", "l2", "l2_shrinkage"
    l1, l2, shrinkage = (settings[f"{kind}_regularization_strength"] for kind in kinds)
    old = (initial_accumulator_value + s.squares) ** -learning_rate_power
    s.squares = s.squares + g**2
    new = (initial_accumulator_value + s.squares) ** -learning_rate_power
    s.z = s.z + g + 2 * shrinkage * x - (new - old) / rate * x
    excess = np.maximum(np.abs(s.z) - l1, 0)
    return -np.sign(s.z) * excess / ((beta + new) / rate + 2 * l2)


def schedulefreeadamw(x, g, s, t, rate, beta_1, beta_2, epsilon, warmup_steps):
    """Defazio et al., 2024, arXiv:2405.15682, Algorithm 1, where x is named y.

    Unlike in the paper, steps of the warm-up have the same weight in the average as others.
    """
    s.v = beta_2 * s.v + (1 - beta_2) * g**2
    rate = rate * min(t / max(warmup_steps, 1), 1)
    z = s.z if t > 1 else s.start
    s.z = z - rate * g / (np.sqrt(s.v / (1 - beta_2**t)) + epsilon)
    # In the paper, this is the old z. Keras reads it after it has changed, on TensorFlow.
    average = (x - (1 - beta_1) * s.z) / beta_1
    average = (1 - 1 / t) * average + s.z / t
    return (1 - beta_1) * s.z + beta_1 * average


def muon(x, g, s, t, rate, momentum, nesterov, ns_steps, exclude_embeddings, **settings):
    """Jordan et al., 2024, Muon, with the size of steps of Liu et al., 2025, arXiv:2502.16982.

    Adam updates what is not a matrix. Each matrix is that of an embedding here.
    """
    if x.ndim != 2 or exclude_embeddings:
        rate = rate * settings["adam_lr_ratio"]
        betas = settings["adam_beta_1"], settings["adam_beta_2"]
        return adam(x, g, s, t, rate, *betas, settings["epsilon"])
    a, b, c = (settings[f"muon_{letter}"] for letter in "abc")
    s.m = momentum * s.m + g
    step = g + momentum * s.m if nesterov else s.m
    step = step / (np.linalg.norm(step) + 1e-7)
    for _ in range(ns_steps):
        square = step @ step.T
        step = a * step + (b * square + c * square @ square) @ step
    return x - rate * 0.2 * np.sqrt(max(x.shape)) * step


def clip(gradients, clipnorm, global_clipnorm, clipvalue):
    if clipvalue:
        return [np.clip(g, -clipvalue, clipvalue) for g in gradients]
    norms, limit = [np.linalg.norm(g) for g in gradients], clipnorm or global_clipnorm or np.inf
    if global_clipnorm:
        norms = [np.linalg.norm(norms)] * len(norms)
    return [g * min(1, limit / norm) for g, norm in zip(gradients, norms, strict=True)]


def train(
    rule,
    weights,
    gradients,
    learning_rate,
    weight_decay=0,
    clipnorm=None,
    global_clipnorm=None,
    clipvalue=None,
    gradient_accumulation_steps=1,
    use_ema=False,
    ema_momentum=0.99,
    ema_overwrite_frequency=None,
    **settings,
):
    """Return the variables after a call of an optimizer for each list of gradients."""
    states = [State(x) for x in weights]
    total = average = [0] * len(weights)
    for call, new in enumerate(gradients):
        t = call // gradient_accumulation_steps + 1
        total = [g + h for g, h in zip(total, new, strict=True)]
        if (call + 1) % gradient_accumulation_steps == 0:
            mean = [g / gradient_accumulation_steps for g in total]
            clipped = clip(mean, clipnorm, global_clipnorm, clipvalue)
            decayed = [x - learning_rate * weight_decay * x for x in weights]
            triples = zip(decayed, clipped, states, strict=True)
            weights = [rule(*each, t, learning_rate, **settings) for each in triples]
            total = [0] * len(weights)
        if use_ema:  # calls that only accumulate count too
            kept = ema_momentum if t > 1 else 0
            pairs = zip(average, weights, strict=True)
            average = [kept * mean + (1 - kept) * x for mean, x in pairs]
            if ema_overwrite_frequency and t % ema_overwrite_frequency == 0:
                weights = average
    return weights
