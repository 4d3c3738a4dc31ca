"""The pictures say what they should, and no text is cut off or covers another."""

import functools
from unittest import mock

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from kerashw.plots import confusion_matrix, style, training_curves, worst_mistakes
from kerashw.plots.style import HOUSE_STYLE, limits, spread
from kerashw.train.results import MOST_MISTAKES, TITLES, Mistakes

DIGITS = tuple("0123456789")
CLOTHES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
HOSTILE = ("<script>alert(1)</script>", r"$\frac{", "two\nlines", "", "x" * 40, *"56789")
CLASSES = {"digits": DIGITS, "clothes": CLOTHES, "hostile": HOSTILE}


def a_history(model="mlp", epochs=10, accuracy=0.98, loss=0.3):
    """A history whose test accuracy ends at `accuracy`, its train loss at `loss`."""
    shares = [accuracy - 0.05 * accuracy * (epochs - n) / epochs for n in range(1, epochs + 1)]
    return {
        "model": model,
        "parameters": 1199882,
        "epochs": [
            {
                "epoch": number,
                "train_loss": loss * epochs / number,
                "test_loss": 0.06,
                "test_accuracy": share,
                "seconds": 1.0,
            }
            for number, share in enumerate(shares, 1)
        ],
    }


def some_mistakes(count, total=None):
    """As many mistakes; the images are random."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (count, 28, 28), "uint8")
    labels = np.arange(count) % 10
    confidences = np.linspace(1, 0.5, count)
    return Mistakes(images, labels, (labels + 1) % 10, confidences, total or count)


def some_counts(scale=1):
    """Mostly right answers, some mistakes, a third of the cells zero."""
    counts = np.random.default_rng(0).integers(0, 40, (10, 10))
    counts[counts % 3 == 0] = 0
    return scale * (counts + 900 * np.eye(10, dtype=int))


def drawn_texts(figure):
    """Return the texts that a figure draws, each with its box in pixels."""
    found = []
    draw = Text.draw

    @functools.wraps(draw)
    def spy(text, renderer):
        if text.get_visible() and text.get_text().strip():
            found.append((text.get_text(), text.get_window_extent(renderer)))
        return draw(text, renderer)

    # The layout draws too.
    figure.draw_without_rendering()
    with mock.patch.object(Text, "draw", spy):
        figure.draw_without_rendering()
    return found


def assert_legible(figure):
    """Every text is inside the canvas, and none covers another."""
    texts = drawn_texts(figure)
    assert texts
    width, height = figure.bbox.size
    for number, (text, box) in enumerate(texts):
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, text
        for other_text, other in texts[:number]:
            apart = min(box.x1, other.x1) <= max(box.x0, other.x0) or min(box.y1, other.y1) <= max(
                box.y0, other.y0
            )
            assert apart, (text, other_text)


def end_labels(figure):
    return [text.get_text() for text in figure.axes[-1].texts]


def contrast_with_white(color):
    """The contrast ratio of the Web Content Accessibility Guidelines."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return 1.05 / (np.dot(linear, [0.2126, 0.7152, 0.0722]) + 0.05)


def test_each_model_has_a_colour_of_its_own_that_is_legible_on_white():
    assert set(style.MODEL_COLORS) == set(TITLES)
    assert len(set(style.MODEL_COLORS.values())) == len(TITLES)
    assert min(map(contrast_with_white, style.MODEL_COLORS.values())) > 3


@pytest.mark.parametrize("epochs", [1, 2, 10, 11, 35, 100, 1000])
def test_learning_curves_are_legible_with_whole_epochs(epochs):
    figure = training_curves.learning_curves(a_history(epochs=epochs))
    assert_legible(figure)
    for panel in figure.axes:
        ticks = panel.get_xticks()
        assert panel.get_xlabel() == "epoch"
        assert ticks[0] == 1 and all(float(tick).is_integer() for tick in ticks)
        assert ticks[-1] <= epochs < 2 * ticks[-1]


def test_learning_curves_draw_and_label_the_history():
    history = a_history(epochs=10, accuracy=0.9822, loss=0.0213)
    figure = training_curves.learning_curves(history)
    names = ["train_loss", "test_loss", "test_accuracy"]
    for panel, name, scale in zip(figure.axes, names, (1, 1, 100), strict=True):
        expected = [scale * epoch[name] for epoch in history["epochs"]]
        np.testing.assert_allclose(panel.lines[0].get_ydata(), expected)
    labels = [text.get_text() for panel in figure.axes for text in panel.texts]
    assert labels == ["0.0213", "0.06", "98.22 %"]
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    assert figure.get_suptitle() == "MLP, 1,199,882 parameters"


@pytest.mark.parametrize("epochs", [1, 3])
@pytest.mark.parametrize(
    ("loss", "accuracy"),
    [
        (0.0, 1.0),
        (1e-9, 1.0),
        (2.3, 0.0),
        (12345.6, 0.1),
        (1e30, 0.1),
        (np.inf, 0.1),
        (np.nan,) * 2,
    ],
)
def test_learning_curves_of_a_training_that_went_wrong(epochs, loss, accuracy):
    assert_legible(training_curves.learning_curves(a_history("softmax", epochs, accuracy, loss)))


@pytest.mark.parametrize("epochs", [1, 2, 10, 100])
@pytest.mark.parametrize("gap", [0.0, 0.0001, 0.2])
def test_comparison_is_legible_where_models_end_close_to_each_other(epochs, gap):
    histories = [a_history(name, epochs, 0.99 - number * gap) for number, name in enumerate(TITLES)]
    figure = training_curves.comparison(histories)
    assert_legible(figure)
    right = figure.axes[0].get_window_extent().x1
    assert all(text.get_window_extent().x0 > right for text in figure.axes[0].texts)


@given(st.lists(st.floats(0, 1), min_size=len(TITLES), max_size=len(TITLES)))
@settings(deadline=None, max_examples=10)
def test_comparison_is_legible_for_any_accuracies(accuracies):
    histories = [
        a_history(*case) for case in zip(TITLES, [2] * len(TITLES), accuracies, strict=True)
    ]
    assert_legible(training_curves.comparison(histories))


def test_comparison_labels_each_line_in_its_colour():
    histories = [a_history("softmax", accuracy=0.9225), a_history("mlp", accuracy=0.9822)]
    figure = training_curves.comparison(histories)
    axes = figure.axes[0]
    assert end_labels(figure) == ["92.25 %  softmax regression", "98.22 %  MLP"]
    for name, text, line in zip(["softmax", "mlp"], axes.texts, axes.lines, strict=False):
        assert text.get_color() == line.get_color() == style.MODEL_COLORS[name]
    assert axes.get_title(loc="left") == "test accuracy (%)"
    assert axes.get_xlabel() == "epoch"


@pytest.mark.parametrize("epochs", [1, 10])
def test_homework_headline_stands_only_beside_the_convnet(epochs):
    label = "98.33 %  homework:\nConvNet after epoch 1"
    convnet, mlp = a_history("convnet", epochs), a_history("mlp", epochs)
    assert end_labels(training_curves.comparison([mlp, convnet]))[-1] == label
    assert label not in end_labels(training_curves.comparison([mlp]))
    assert label not in end_labels(training_curves.comparison([mlp, convnet], headline=False))


def test_comparison_of_models_with_different_numbers_of_epochs():
    figure = training_curves.comparison([a_history("mlp", 10), a_history("softmax", 2)])
    assert_legible(figure)
    assert list(figure.axes[0].get_xticks()) == list(range(1, 11))


@pytest.mark.parametrize("classes", CLASSES.values(), ids=CLASSES)
@pytest.mark.parametrize("scale", [1, 10])
def test_confusion_matrix_is_legible(classes, scale):
    assert_legible(confusion_matrix.confusion_matrix(some_counts(scale), classes))


def test_confusion_matrix_writes_each_count_where_it_belongs():
    counts = some_counts()
    axes = confusion_matrix.confusion_matrix(counts, DIGITS).axes[0]
    written = {text.get_position(): text.get_text() for text in axes.texts}
    cells = np.argwhere(counts).tolist()
    assert written == {(column, row): f"{counts[row, column]:,}" for row, column in cells}
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted class", "true class")
    wrong = counts.sum() - counts.trace()
    assert axes.get_title(loc="left") == f"{wrong:,} of {counts.sum():,} wrong"
    assert [label.get_text() for label in axes.get_yticklabels()] == list(DIGITS)


def test_confusion_matrix_colours_the_mistakes_alone():
    counts = np.array([[5000, 3, 0], [1, 4000, 0], [0, 0, 6000]])
    shades = confusion_matrix.confusion_matrix(counts, "abc").axes[0].images[0].get_array()
    assert shades.count() == 2
    assert shades[0, 1] == 1 > shades[1, 0] > 0.5


@pytest.mark.parametrize("count", [1, 10_000])
def test_confusion_matrix_without_a_mistake(count):
    figure = confusion_matrix.confusion_matrix(count * np.eye(10, dtype=int), DIGITS)
    assert_legible(figure)
    assert figure.axes[0].get_title(loc="left") == f"0 of {10 * count:,} wrong"


@pytest.mark.parametrize("classes", CLASSES.values(), ids=CLASSES)
@pytest.mark.parametrize("count", [0, 1, 7, MOST_MISTAKES])
def test_mistakes_are_legible(classes, count):
    assert_legible(
        worst_mistakes.worst_mistakes(some_mistakes(count, total=9999 if count else 0), classes)
    )


def test_mistakes_say_what_was_taken_for_what():
    mistakes = some_mistakes(3, total=83)
    figure = worst_mistakes.worst_mistakes(mistakes, DIGITS)
    shown = [panel for panel in figure.axes if panel.images]
    titles = [panel.get_title(loc="center") for panel in shown]
    assert titles == ["0 → 1, 100.0 %", "1 → 2, 75.0 %", "2 → 3, 50.0 %"]
    np.testing.assert_array_equal(shown[1].images[0].get_array(), mistakes.images[1])
    assert "3 surest of 83" in figure.get_suptitle()
    long = worst_mistakes.worst_mistakes(mistakes, CLOTHES).axes[0].get_title(loc="center")
    assert long == "T-shirt/top\n→ Trouser, 100.0 %"


def test_no_mistakes_are_said_to_be_none():
    assert [
        text for text, _ in drawn_texts(worst_mistakes.worst_mistakes(some_mistakes(0), DIGITS))
    ] == ["no mistakes"]


def test_pictures_are_the_same_whatever_the_users_matplotlib_settings():
    def pixels():
        figure = training_curves.comparison([a_history()])
        figure.canvas.draw()
        return np.asarray(figure.canvas.buffer_rgba()).copy()

    expected = pixels()
    before = {name: matplotlib.rcParams[name] for name in HOUSE_STYLE}
    theirs = {"axes.facecolor": "black", "font.size": 30, "axes.grid": True, "text.color": "red"}
    with matplotlib.rc_context(theirs):
        np.testing.assert_array_equal(pixels(), expected)
    assert {name: matplotlib.rcParams[name] for name in HOUSE_STYLE} == before


@given(
    st.lists(st.tuples(st.floats(0, 100), st.floats(1, 10)), min_size=1, max_size=8),
)
def test_spread_labels_neither_touch_nor_leave_the_room(labels):
    wanted, heights = np.transpose(labels)
    middles = spread(wanted, heights, low=0, high=100)
    order = np.argsort(middles)
    gaps = np.diff(middles[order]) - (heights[order][1:] + heights[order][:-1]) / 2
    assert (gaps > -1e-9).all()
    assert (middles - heights / 2 > -1e-9).all() and (middles + heights / 2 < 100 + 1e-9).all()


@given(st.lists(st.floats(10, 90), min_size=1, max_size=5, unique_by=lambda x: round(x / 5)))
def test_spread_leaves_labels_alone_that_have_room(wanted):
    wanted = [5 * round(x / 5) for x in wanted]
    np.testing.assert_allclose(spread(wanted, [5] * len(wanted), 0, 100), wanted)


@given(st.lists(st.floats(0, 1e6) | st.just(np.nan)))
def test_limits_hold_all_finite_values(values):
    low, high = limits(values, least=0.5)
    assert 0 <= low < high
    assert all(low <= value <= high for value in values if np.isfinite(value))
