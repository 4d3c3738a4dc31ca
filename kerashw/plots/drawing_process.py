"""Figures drawn in another process, so that this one goes on.

    python -m kerashw.plots.drawing_process

is that process. It imports the modules of the figures alone, so it starts quickly. Python's threads
cannot draw meanwhile: they take turns with what this process computes in Python, such as an export.
"""

import kerashw.startup  # noqa: F401 - before other modules, see there

# isort: split
import io
import pickle
import pkgutil
import subprocess
import sys
from typing import NamedTuple


class Figure(NamedTuple):
    """A figure to draw.

    Args:
        function: String, a function that returns a `matplotlib.figure.Figure`, as
            "kerashw.plots.training_curves:comparison".
        arguments: Tuple of its arguments.
    """

    function: str
    arguments: tuple


def draw(figures):
    """Draw figures in another process, and wait for it.

    Args:
        figures: List of `Figure`s.

    Returns:
        List of pairs: the PNG file as bytes, and its width and height in inches.

    Example:
        >>> figure = Figure("kerashw.plots.style:new_figure", (4, 3))
        >>> [(png, size)] = draw([figure])
        >>> png[1:4], size
        (b'PNG', (4.0, 3.0))
    """
    process = subprocess.run(
        [sys.executable, "-m", __name__],
        input=pickle.dumps([tuple(figure) for figure in figures]),
        capture_output=True,
        start_new_session=True,  # an interruption by the keyboard is left to this process
        check=False,
    )
    if process.returncode:
        raise RuntimeError(f"no figures were drawn:\n{process.stderr.decode(errors='replace')}")
    return pickle.loads(process.stdout)


def main():
    """Draw the figures that the standard input has."""
    pictures = [_draw(*each) for each in pickle.load(sys.stdin.buffer)]
    pickle.dump(pictures, sys.stdout.buffer)


def _draw(function, arguments):
    figure, file = pkgutil.resolve_name(function)(*arguments), io.BytesIO()
    figure.savefig(file, format="png", dpi="figure", metadata={"Software": None})
    return file.getvalue(), tuple(map(float, figure.get_size_inches()))


if __name__ == "__main__":
    main()
