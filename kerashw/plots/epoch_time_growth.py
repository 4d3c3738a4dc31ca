"""The benchmark's pictures; no computing."""

import statistics

import matplotlib
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from kerashw.models import TITLES
from kerashw.plots.style import (
    FAINT,
    GRID,
    INK,
    MODEL_COLORS,
    STYLE,
    new_figure,
)


@matplotlib.rc_context(STYLE)
def growth_figure(grown):
    """Draw how an epoch's time grows with the examples and with the batch size.

    Args:
        grown: List of `kerashw.benchmark.topics.growth.Growth`: of each model the seconds by number of
            examples and by batch size.

    Returns:
        `matplotlib.figure.Figure`: two panels, both axes logarithmic; in the left one, faint lines
        through the largest number of examples show what exactly linear growth would be.
    """
    figure = new_figure(11, 4.6)
    left, right = figure.subplots(1, 2, sharey=True)
    figure.subplots_adjust(left=0.065, right=0.86, top=0.88, bottom=0.13, wspace=0.1)
    for one in grown:
        color = MODEL_COLORS[one.model]
        most = max(one.by_examples)
        slope = statistics.median(one.by_examples[most]) / most
        linear = [slope * number for number in one.by_examples]
        left.plot(list(one.by_examples), linear, color=FAINT, linewidth=1, linestyle=(0, (4, 3)))
        for axes, seconds in ((left, one.by_examples), (right, one.by_batch_size)):
            sizes, times = list(seconds), [statistics.median(times) for times in seconds.values()]
            axes.plot(sizes, times, color=color, marker="o", clip_on=False)
    _panel(left, list(grown[0].by_examples), "training examples, in batches of 128")
    _panel(right, list(grown[0].by_batch_size), "batch size, all training examples")
    left.set_title("seconds an epoch; dashed: in proportion", pad=10)
    right.set_title("the same by the batch size", pad=10)
    for one in grown:
        last = statistics.median(list(one.by_batch_size.values())[-1])
        right.annotate(
            TITLES[one.model],
            (max(one.by_batch_size), last),
            xytext=(12, 0),
            textcoords="offset points",
            color=MODEL_COLORS[one.model],
            va="center",
            annotation_clip=False,
        )
    return figure


def _panel(axes, sizes, label):
    axes.set(xscale="log", yscale="log", xlabel=label)
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
    axes.grid(axis="y", color=GRID)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(colors=INK, labelsize=10)
    axes.tick_params(axis="y", which="both", length=0)
