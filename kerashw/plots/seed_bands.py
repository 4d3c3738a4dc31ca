"""The accuracy of models by epoch over several seeds: the mean, and a band of one deviation."""

import matplotlib
import numpy as np

from kerashw.histories import evaluated_on
from kerashw.model_names import colors_of, short_title
from kerashw.plots.epoch_axes import axis_limits, plot_curve, set_up_epoch_axes
from kerashw.plots.label_placement import CURVE_LABEL, label_ends
from kerashw.plots.style import STYLE, new_figure


@matplotlib.rc_context(STYLE)
def seed_bands(histories):
    """Plot the mean accuracy of models by epoch, with bands of one standard deviation.

    Args:
        histories: List, for each model, of lists of dicts as in `history.json`, one for each seed.
            Epochs that not all seeds have are left out.

    Returns:
        `matplotlib.figure.Figure` with a label at the end of each curve.

    Example:
        >>> seeds = [
        ...     {"model": "mlp", "epochs": [{"epoch": 1, "test_accuracy": accuracy}]}
        ...     for accuracy in (0.92, 0.94)
        ... ]
        >>> [text.get_text() for text in seed_bands([seeds]).axes[0].texts]
        ['93.00 ± 1.41 %  MLP']
    """
    axes = new_figure(10, 4.6).add_axes((0.055, 0.125, 0.55, 0.765))
    examples = evaluated_on(histories[0][0])
    bands = [_band(seeds, f"{examples}_accuracy") for seeds in histories]
    edges = np.concatenate([mean + sign * width for mean, width in bands for sign in (-1, 1)])
    limits = axis_limits(np.clip(edges, 0, 100).tolist(), least=0.5, ceiling=100)
    longest = max(len(mean) for mean, _ in bands)
    title = f"{examples} accuracy (%), mean ± standard deviation over {len(histories[0])} seeds"
    set_up_epoch_axes(axes, list(range(1, longest + 1)), title, limits)
    names = [seeds[0]["model"] for seeds in histories]
    colors, labels = colors_of(names), []
    for name, (mean, width) in zip(names, bands, strict=True):
        epochs, color = np.arange(1, len(mean) + 1), colors[name]
        axes.fill_between(
            epochs, mean - width, np.minimum(mean + width, 100), color=color, alpha=0.2, linewidth=0
        )
        plot_curve(axes, epochs, mean, color)
        text = f"{mean[-1]:.2f} ± {width[-1]:.2f} %  {short_title(name)}"
        labels.append((epochs[-1], mean[-1], text, {"color": color} | CURVE_LABEL))
    label_ends(axes, labels)
    return axes.figure


def _band(seeds, key):
    """Return the mean and the standard deviation in percent, float arrays (epochs,)."""
    length = min(len(history["epochs"]) for history in seeds)
    values = [[100 * epoch[key] for epoch in history["epochs"][:length]] for history in seeds]
    width = np.std(values, axis=0, ddof=1) if len(seeds) > 1 else np.zeros(length)
    return np.mean(values, axis=0), width
