"""The memory of a process by time."""

import matplotlib
import numpy as np

from kerashw.plots.style import BLUE, FAINT, INK, ORANGE, STYLE, draw_horizontal_grid, new_figure

GIB = 2**30


@matplotlib.rc_context(STYLE)
def memory_curve(seconds, sizes, limit, data_size):
    """Plot the memory that a process uses while it trains on a data set larger than that.

    Args:
        seconds: Float array (N,), times since the start of the process.
        sizes: Integer array (N,), the memory of the process in bytes.
        limit: Integer, the most memory that the process may use, in bytes.
        data_size: Integer, the size of the images in bytes.

    Returns:
        `matplotlib.figure.Figure`.

    Example:
        >>> figure = memory_curve([0, 1, 2], [0, GIB, GIB], limit=3 * GIB, data_size=20 * GIB)
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['limit of the process, 3 GiB', 'at most 1.0 GiB']
    """
    figure = new_figure(8, 3.6, layout="constrained")
    axes = figure.add_subplot()
    minutes, gibibytes = np.asarray(seconds) / 60, np.asarray(sizes) / GIB
    axes.fill_between(minutes, gibibytes, color=BLUE, alpha=0.15, linewidth=0)
    axes.plot(minutes, gibibytes, color=BLUE)
    axes.axhline(limit / GIB, color=ORANGE, linestyle="--")
    settings = {"ha": "right", "va": "bottom"}
    top = limit / GIB
    axes.text(minutes[-1], top + 0.05, f"limit of the process, {top:g} GiB", **settings)
    highest = gibibytes.max()
    axes.text(minutes[-1], highest + 0.08, f"at most {highest:.1f} GiB", **settings)
    axes.set(xlim=(0, minutes[-1]), ylim=(0, 1.2 * limit / GIB))
    axes.set_xlabel("minutes")
    axes.set_ylabel("memory of the process, GiB", color=INK)
    axes.set_title(f"Training on {data_size / GIB:.1f} GiB of images from the disk", weight="bold")
    axes.tick_params(colors=FAINT)
    draw_horizontal_grid(axes)
    return figure
