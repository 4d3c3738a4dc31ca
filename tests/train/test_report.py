"""The report is one whole page that says what the histories say and asks nobody for anything."""

import base64
import copy
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from kerashw.plots import drawing_process
from kerashw.train.pictures import draw_pictures
from kerashw.train.report import duration, enumeration, report_html
from kerashw.train.results import HOMEWORK, evaluate_predictions

VOID = {"meta", "link", "img", "br", "hr", "input"}
HOSTILE = ("<script>alert(1)</script>", '" onerror="alert(2)', "&amp;", r"$\frac{", *"456789")
MANIFEST = {
    "command": "python -m kerashw.train --output '<b>&'",
    "configuration": {
        "models": ["softmax", "convnet"],
        "epochs": 2,
        "batch_size": 128,
        "seed": 7,
        "dataset": "mnist",
        "precision": "float32",
        "train_examples": None,
        "test_examples": None,
        "deterministic": False,
    },
    "started": "2026-01-31T20:15:00+00:00",
    "finished": "2026-01-31T20:18:30+00:00",
    "versions": {"kerashw": "0.1.0", "tensorflow": "2.21.0"},
    "data": {"name": "mnist:3.0.1", "checksums": {"mnist-train.tfrecord": "0123abcd"}},
    "device": {"devices": ["NVIDIA H200"], "cpu": "Xeon <2 GHz>", "cores": 16},
    "seconds": {"training": 200.0},
}


class Page(HTMLParser):
    """A page's elements, and whether each is closed where it should be."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.open, self.rows, self.text = [], [], [], ""
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.text += data
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data.replace("\xa0", " ")

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def a_result(model, parameters, accuracies, classes=tuple("0123456789")):
    """The results of random predictions; the history has the accuracies."""
    random = np.random.default_rng(0)
    epochs = [
        {
            "epoch": number,
            "train_loss": 0.5 / number,
            "test_loss": 0.26543 / number,
            "test_accuracy": accuracy,
            "seconds": 1.26 * number,
        }
        for number, accuracy in enumerate(accuracies, 1)
    ]
    history = {"model": model, "parameters": parameters, "epochs": epochs}
    probabilities = random.dirichlet(np.full(10, 0.1), 40)
    images = random.integers(0, 256, (40, 28, 28), "uint8")
    return evaluate_predictions(history, probabilities, images, random.integers(0, 10, 40), classes)


def a_report(results, manifest=MANIFEST):
    return report_html(results, draw_pictures(results), manifest)


@pytest.fixture(scope="module")
def results():
    """Two models of two epochs."""
    softmax = a_result("softmax", 7850, [0.9148, 0.9265])
    return [softmax, a_result("convnet", 1199882, [0.9833, 0.9861])]


@pytest.fixture(scope="module")
def html(results):
    """Their report."""
    return a_report(results)


@pytest.fixture(scope="module")
def page(html):
    """The same, parsed."""
    return Page(html)


@pytest.fixture
def _no_pictures(monkeypatch):
    """Draw nothing where only the words matter: drawing takes nearly all the time."""
    monkeypatch.setattr(drawing_process, "draw", lambda figures: [(b"", (1, 1))] * len(figures))


def changed(**configuration):
    manifest = copy.deepcopy(MANIFEST)
    manifest["configuration"] |= configuration
    return manifest


def test_page_is_a_whole_document(html, page):
    assert html.lstrip().startswith("<!DOCTYPE html>")
    assert page.all("html") == [{"lang": "en"}]
    assert {"charset": "utf-8"} in page.all("meta")
    assert "Softmax regression and ConvNet on MNIST" in page.text
    assert [tag for tag, _ in page.elements if tag in ("main", "header", "footer", "h1")] == [
        *("header", "h1", "main", "footer")
    ]
    assert [a["id"] for a in page.all("h2") if "id" in a] == ["results", "softmax", "convnet"]


def test_page_stands_alone(html, page):
    for tag, attributes in page.elements:
        assert tag not in ("script", "link", "iframe", "object")
        for name in ("src", "href"):
            value = attributes.get(name, "#")
            assert value.startswith(("data:image/png;base64,", "#")), (tag, value[:80])
        assert not [name for name in attributes if name.startswith("on")]
    assert not re.search(r"url\(|@import|://", html)
    identifiers = {attributes.get("id") for _, attributes in page.elements}
    assert {a["href"][1:] for a in page.all("a")} <= identifiers


def test_every_picture_is_a_png_with_a_size_and_words_for_it(page):
    images = page.all("img")
    assert len(images) == 1 + 3 * 2
    for picture in images:
        content = base64.b64decode(picture["src"].partition(",")[2], validate=True)
        width, height = (int.from_bytes(content[at : at + 4]) for at in (16, 20))
        assert content.startswith(b"\x89PNG")
        assert width / height == pytest.approx(int(picture["width"]) / int(picture["height"]), 0.01)
        assert len(picture["alt"]) > 40
    assert "0.5000 → 0.2500" in images[1]["alt"]
    assert "91.48% → 92.65%" in images[1]["alt"]


def test_table_has_the_numbers_of_the_histories(page, results):
    assert page.rows[0][3:5] == ["test accuracy after epoch 1", "test accuracy after epoch 2"]
    for row, result in zip(page.rows[1:], results, strict=True):
        assert row == [
            result.title,
            f"{result.history['parameters']:,}",
            f"{result.last['test_loss']:.4f}",
            f"{100 * result.first['test_accuracy']:.2f} %",
            f"{100 * result.last['test_accuracy']:.2f} %",
            f"{result.seconds_an_epoch:.2f}",
            HOMEWORK[result.name],
        ]
    assert page.rows[2][:6] == ["ConvNet", "1,199,882", "0.1327", "98.33 %", "98.61 %", "1.89"]


def test_sentences_say_what_was_run(page):
    assert "2 epochs on MNIST, batch size 128, seed 7, precision float32." in page.text
    assert (
        "Trained on 2026-01-31 at 20:15 UTC in 3 min 30 s, on NVIDIA H200, Xeon <2 GHz>, 16 cores, "
        "with kerashw 0.1.0 and TensorFlow 2.21.0." in page.text
    )
    assert "mnist:3.0.1" in page.text and "0123abcd" in page.text
    assert MANIFEST["command"] in page.text


@pytest.mark.usefixtures("_no_pictures")
def test_sentences_say_what_was_left_out(results):
    manifest = changed(train_examples=2000, test_examples=500, deterministic=True)
    text = Page(a_report(results, manifest)).text
    assert "the first 2,000 training images, the first 500 test images" in text
    assert "deterministic" in text


@pytest.mark.usefixtures("_no_pictures")
def test_homework_is_quoted_for_its_own_data_alone(results):
    page = Page(a_report(results, changed(dataset="fashion_mnist")))
    assert "homework" not in page.text and "Fashion-MNIST" in page.text
    assert {len(row) for row in page.rows} == {6}


@pytest.mark.usefixtures("_no_pictures")
def test_one_epoch_is_one_column():
    page = Page(a_report([a_result("mlp", 669706, [0.9531])], changed(epochs=1)))
    assert page.rows[0][3] == "test accuracy after epoch 1"
    assert page.rows[1][3:] == ["95.31 %", "1.26", HOMEWORK["mlp"]]
    assert "1 epoch on MNIST" in page.text


@pytest.mark.usefixtures("_no_pictures")
def test_models_with_different_numbers_of_epochs():
    results = [a_result("mlp", 669706, [0.95, 0.96]), a_result("softmax", 7850, [0.91])]
    page = Page(a_report(results))
    assert page.rows[0][4] == "test accuracy after the last epoch"
    assert [row[4] for row in page.rows[1:]] == ["96.00 %", "91.00 %"]


def test_hostile_class_names_stay_text():
    html = a_report([a_result("mlp", 669706, [0.95, 0.96], HOSTILE)])
    page = Page(html)
    assert "<script>" not in html
    assert not [a for _, a in page.elements if "onerror" in a]
    assert any("<script>alert(1)</script>" in a["alt"] for a in page.all("img"))


@pytest.mark.usefixtures("_no_pictures")
def test_manifest_needs_no_more_than_its_configuration(results):
    page = Page(a_report(results, {"configuration": MANIFEST["configuration"]}))
    assert "Trained" not in page.text and "How it was made" not in page.text


@pytest.mark.parametrize(
    ("words", "expected"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_enumeration(words, expected):
    assert enumeration(words) == expected


@pytest.mark.parametrize(
    ("finished", "expected"),
    [("00:00:00.4", "0 s"), ("00:00:59.6", "1 min 0 s"), ("01:00:00", "1 h 0 min")],
)
def test_duration(finished, expected):
    assert duration("2026-01-01T00:00:00", f"2026-01-01T{finished}") == expected
