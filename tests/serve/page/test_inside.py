"""The view inside a model: maps, units, evidence and epochs, against the Keras models in NumPy."""

import re

import keras
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from kerashw.export import export_saved_model, write_models_config
from kerashw.models import convnet
from tests.serve.page.browsing import DESKTOP, OVERLAPS, PHONE, draw_with_mouse, open_page
from tests.serve.processes import running_server

# What is not on the screen is not requested.
TALL = {"width": 1280, "height": 2600}
ROUNDING = 0.0051  # of a number that is shown with two decimal places
CENTS = re.compile(r"[−-]?\d+\.\d+")


def number(text):
    """Return the first number in a text."""
    return float(CENTS.search(text)[0].replace("−", "-"))


def look_inside(page, name):
    page.get_by_role("button", name=f"Look inside {name}").click()
    expect(page.get_by_role("region", name=f"Inside {name}")).to_be_visible()
    expect(page.locator(".class-list")).to_have_count(1)


def wait_for_answers(page):
    expect(page.locator(".class-evidence.chosen")).to_have_count(1)
    expect(page.locator("#cards")).to_have_attribute("aria-busy", "false")


def read_canvas(canvas):
    """Return the pixels of a canvas, (height, width, 4)."""
    pixels, shape = canvas.evaluate(
        """(canvas) => {
            const { width, height } = canvas;
            const copy = new OffscreenCanvas(width, height).getContext("2d");
            copy.drawImage(canvas, 0, 0);
            return [[...copy.getImageData(0, 0, width, height).data], [height, width, 4]];
        }"""
    )
    return np.array(pixels, np.uint8).reshape(shape)


def read_drawing(page, canvas="#inside .drawing canvas"):
    """Return the drawing as the model sees it, (1, 28, 28, 1) in [0, 1]."""
    return read_canvas(page.locator(canvas).first)[None, ..., :1].astype("float32") / 255


def place_of(canvas, tile, position, pitch, columns):
    """Return the point of the page in the middle of a number of a tile."""
    box, width = canvas.bounding_box(), canvas.evaluate("(canvas) => canvas.width")
    row, column = [
        (each * pitch + within + 0.5) * box["width"] / width
        for each, within in zip(divmod(tile, columns), position, strict=True)
    ]
    return box["x"] + column, box["y"] + row


def activations_of(model, image):
    """Return the outputs of the layers that the view shows, by name."""
    shown = [layer for layer in model.layers if layer.name != "flatten"]
    outputs = keras.Model(model.inputs[0], [layer.output for layer in shown])(image)
    return {layer.name: np.array(x)[0] for layer, x in zip(shown, outputs, strict=True)}


def check_probabilities(page, model, image):
    """Check the probabilities in the view, and the bars of the model's card."""
    probabilities = 100 * np.array(model(image))[0]
    for numbers, error in ((".class-probability", 0.051), (".card td:last-child", 0.51)):
        shown = [float(text.removesuffix(" %")) for text in page.locator(numbers).all_inner_texts()]
        np.testing.assert_allclose(shown, probabilities, atol=error)


def test_evidence_adds_up_to_the_logits_of_softmax_regression(browser, page_server, networks):
    kernel, bias = networks["softmax"].get_weights()
    with open_page(browser, page_server, models=("softmax",), viewport=TALL) as page:
        look_inside(page, "softmax")
        expect(page.locator("#inside [role=status]")).to_contain_text("Draw a digit on the sheet")
        draw_with_mouse(page)
        wait_for_answers(page)
        image = read_drawing(page, ".heat canvas")
        products = kernel.T * image.reshape(-1)  # (10, 784)
        texts = [
            each.locator("dd").all_inner_texts() for each in page.locator(".class-evidence").all()
        ]
        shown = np.array([[number(text) for text in each] for each in texts])
        supports, against = products.clip(0).sum(1), products.clip(max=0).sum(1)
        expected = np.stack([supports, against, bias, supports + against + bias], axis=1)
        # The pictures have 254 levels.
        np.testing.assert_allclose(shown[:, :2], expected[:, :2], atol=0.05)
        np.testing.assert_allclose(shown[:, 2:4], expected[:, 2:], atol=ROUNDING)
        np.testing.assert_allclose(shown[:, :3].sum(1), shown[:, 3], atol=1e-9)
        check_probabilities(page, networks["softmax"], image)

        largest = np.abs(products).max()
        for label, picture in enumerate(page.locator(".pair figure:last-child canvas").all()):
            red, _, blue, _ = np.moveaxis(read_canvas(picture).astype(int), 2, 0)
            strong = np.abs(products[label].reshape(28, 28)) > largest / 20
            is_orange = (red > blue)[strong]
            np.testing.assert_array_equal(is_orange, products[label].reshape(28, 28)[strong] > 0)
        caption = page.locator(".heat-figure figcaption")
        expect(caption).to_contain_text("Weight × pixel for 7")
        page.get_by_role("radio", name="3", exact=True).focus()
        page.keyboard.press("Space")
        expect(caption).to_contain_text("Weight × pixel for 3")
        assert abs(number(caption.inner_text().split("its sum")[1]) - products[3].sum()) < ROUNDING
        page.locator("#clear-sheet").click()
        expect(page.locator(".class-evidence dd").first).to_have_text("")
        expect(page.locator("#inside [role=status]")).to_contain_text("Draw a digit on the sheet")


def test_a_pixel_of_a_map_is_explained(browser, page_server, small_convnet):
    model, _ = small_convnet
    with open_page(browser, page_server, models=("small",), viewport=TALL) as page:
        draw_with_mouse(page)
        look_inside(page, "small")
        wait_for_answers(page)
        image = read_drawing(page)
        activations = activations_of(model, image)
        title, text = page.locator(".detail h3"), page.locator(".detail .numbers")
        tile, (row, column) = 4, (3, 2)
        canvas = page.locator(".layer canvas").nth(2)
        page.mouse.move(*place_of(canvas, tile, (row, column), pitch=8, columns=4))
        expect(title).to_have_text(f"Map {tile} of conv_2")
        expect(text).to_contain_text(f"row {row}, column {column}: ")
        # The numbers of a map are those of its picture, of 256 levels.
        value = activations["conv_2"][row, column, tile]
        error = activations["conv_2"].max() / 510 + ROUNDING
        assert abs(number(text.inner_text().split("column")[1]) - value) < error
        kernel, bias = model.get_layer("conv_2").get_weights()
        padded = np.pad(activations["pool"], [(1, 1), (1, 1), (0, 0)])
        patch = padded[2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
        products = patch * kernel[..., tile]
        _, sums = text.inner_text().split("Inputs × weights: ")
        shown = [float(each.replace("−", "-")) for each in CENTS.findall(sums)]
        expected = products.clip(0).sum(), products.clip(max=0).sum(), bias[tile]
        np.testing.assert_allclose(shown[:3], expected, atol=0.03)
        assert abs(shown[3] - products.sum() - bias[tile]) < 0.05
        check_region(page, model, "conv_2", (row, column))

        # The same by keyboard: another map, and a pixel of it.
        page.mouse.move(1, 1)
        page.locator(".layer canvas").first.focus()
        page.keyboard.press("ArrowRight")
        expect(title).to_have_text("Map 1 of conv_1")
        kernel = model.get_layer("conv_1").get_weights()[0][..., 0, 1]
        numbers = [number(each) for each in page.locator(".kernel-numbers span").all_inner_texts()]
        scale = np.abs(kernel).max() / 254
        np.testing.assert_allclose(numbers, kernel.reshape(-1), atol=scale + ROUNDING)
        page.locator(".detail canvas").first.focus()
        page.keyboard.press("Home")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowRight")
        expect(text).to_contain_text("The pixel in row 1, column 1: ")
        check_region(page, model, "conv_1", (1, 1))


def check_region(page, model, name, position):
    """Check that the marked pixels of the drawing are those that can change an output.

    With positive weights, the output is positive for an image of one bright pixel that it sees.
    """
    positive = keras.models.clone_model(model)
    shapes = [weights.shape for weights in model.get_weights()]
    positive.set_weights([np.full(shape, float(len(shape) > 1)) for shape in shapes])
    outputs = keras.Model(positive.inputs[0], positive.get_layer(name).output)
    pixels = np.eye(784, dtype="float32").reshape(-1, 28, 28, 1)
    rows, columns = np.nonzero(np.array(outputs(pixels))[:, *position, 0].reshape(28, 28))
    for frame in page.locator(".drawing .frame, .detail figure:last-child .frame").all():
        style = frame.get_attribute("style")
        box = {
            key: float(value) * 28 / 100
            for key, value in re.findall(r"(top|left|height|width): ([\d.]+)%", style)
        }
        expected = {"top": rows.min(), "left": columns.min()}
        expected |= {"height": np.ptp(rows) + 1, "width": np.ptp(columns) + 1}
        assert box == pytest.approx(expected, abs=0.01)


def test_the_slider_shows_the_model_of_an_epoch(browser, page_server, small_convnet):
    model, (untrained, trained) = small_convnet
    reference = keras.models.clone_model(model)
    with open_page(browser, page_server, models=("small",), viewport=TALL) as page:
        look_inside(page, "small")
        draw_with_mouse(page)
        wait_for_answers(page)
        image = read_drawing(page)
        page.locator(".layer canvas").nth(3).focus()
        page.keyboard.press("End")
        text, slider = page.locator(".detail .numbers"), page.locator("#epoch")
        expect(page.locator(".detail h3")).to_have_text("Unit 15 of hidden")
        slider.focus()
        for key, weights, words in (
            ("Home", untrained, "Untrained"),
            ("ArrowRight", trained, "Trained, 1 epoch: validation accuracy 25.0 %"),
        ):
            page.keyboard.press(key)
            expect(page.locator(".epoch-choice output")).to_have_text(words)
            assert slider.get_attribute("aria-valuetext") == words
            wait_for_answers(page)
            reference.set_weights(weights)
            check_probabilities(page, reference, image)
            activations = activations_of(reference, image)
            assert abs(number(text.inner_text()) - activations["hidden"][15]) < ROUNDING
            bias = weights[5][15]
            assert abs(number(text.inner_text().split("bias")[1]) - bias) < ROUNDING
            card = page.locator(".card .version")
            expect(card).to_have_text("version 1: Untrained" if key == "Home" else "version 2")
        page.keyboard.press("Home")
        page.get_by_role("button", name="Close").first.click()
        expect(card).to_have_text("version 2")  # a card without a view is that of the newest
        expect(page.locator("#cards")).to_have_attribute("aria-busy", "false")
        shown = page.locator(".card td:last-child").all_inner_texts()
        expected = 100 * np.array(reference(image))[0]
        np.testing.assert_allclose([float(each.split()[0]) for each in shown], expected, atol=0.51)


@pytest.mark.slow
def test_units_of_a_multilayer_perceptron(browser, page_server, networks):
    with open_page(browser, page_server, models=("mlp",), viewport=TALL) as page:
        draw_with_mouse(page)
        look_inside(page, "mlp")
        wait_for_answers(page)
        image = read_drawing(page)
        activations = activations_of(networks["mlp"], image)
        inputs = {"hidden_1": image.reshape(-1), "hidden_2": activations["hidden_1"]}
        title, text = page.locator(".detail h3"), page.locator(".detail .numbers")
        for layer, (name, input) in enumerate(inputs.items()):
            unit = 5 * 32 + 7
            canvas = page.locator(".layer canvas").nth(layer)
            page.mouse.move(*place_of(canvas, unit, (4, 4), pitch=9, columns=32))
            expect(title).to_have_text(f"Unit {unit} of {name}")
            kernel, bias = networks["mlp"].get_layer(name).get_weights()
            products = kernel[:, unit] * input
            shown = [float(x.replace("−", "-")) for x in CENTS.findall(text.inner_text())]
            assert abs(shown[0] - activations[name][unit]) < ROUNDING
            expected = products.clip(0).sum(), products.clip(max=0).sum(), bias[unit]
            np.testing.assert_allclose(shown[1:4], expected, atol=0.05)
            weights = read_canvas(page.locator(".detail canvas").first).astype(int)
            if layer == 0:
                large = np.abs(kernel[:, unit]) > np.abs(kernel[:, unit]).max() / 20
                is_orange = (weights[..., 0] > weights[..., 2]).reshape(-1)
                np.testing.assert_array_equal(is_orange[large], kernel[large, unit] > 0)
            else:
                assert weights.shape[:2] == (16 * 9 - 1, 32 * 9 - 1)


@pytest.mark.slow
def test_only_what_is_on_the_screen_is_requested(browser, page_server):
    options = {"models": ("softmax", "small"), "viewport": {"width": 1280, "height": 700}}
    with open_page(browser, page_server, **options) as page:
        signatures = []

        def record(request):
            if request.method == "POST":
                signatures.append(request.post_data_json["signature_name"])

        page.on("request", record)
        draw_with_mouse(page)
        expect(page.locator("#cards")).to_have_attribute("aria-busy", "false")
        assert {"inside", "attributions", "weights"}.isdisjoint(signatures)
        look_inside(page, "small")
        expect(page.locator(".detail h3")).to_contain_text("of conv_1")
        assert "attributions" not in signatures
        page.locator(".class-evidence").last.scroll_into_view_if_needed()
        wait_for_answers(page)
        assert signatures.count("attributions") == 1
        # A second view closes the first.
        look_inside(page, "softmax")
        expect(page.get_by_role("region", name="Inside small")).to_have_count(0)


@pytest.mark.slow
def test_an_answer_with_everything_inside_is_small(browser, tmp_path):
    keras.utils.set_random_seed(0)
    export_saved_model(convnet(), tmp_path / "convnet")
    with running_server(f"--model_config_file={write_models_config(tmp_path)}") as server:
        options = {"models": ("convnet",), "viewport": TALL}
        with open_page(browser, server, **options) as page:
            sizes = {}

            def record(response):
                if response.request.method == "POST":
                    name = response.request.post_data_json["signature_name"]
                    sizes[name] = max(sizes.get(name, 0), len(response.body()))

            draw_with_mouse(page)
            page.on("response", record)
            look_inside(page, "convnet")
            wait_for_answers(page)
            expect(page.locator(".detail h3")).to_contain_text("of conv_1")
            assert {"inside", "attributions", "weights"} <= sizes.keys()
            assert max(sizes.values()) < 60_000
            layers = ["conv_1", "conv_2", "pool", "hidden", "probabilities"]
            expect(page.locator("#inside .column strong")).to_have_text(["Drawing", *layers])


@pytest.mark.slow
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_view_is_accessible_and_nothing_is_too_wide(browser, page_server, viewport):
    models = ("softmax", "mlp", "small")
    with open_page(browser, page_server, models=models, viewport=viewport) as page:
        draw_with_mouse(page)
        for name in models:
            look_inside(page, name)
            page.locator(".class-evidence").last.scroll_into_view_if_needed()
            wait_for_answers(page)
            assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
            page.evaluate("scrollTo(0, 0)")
            assert page.evaluate(OVERLAPS) == []
            for scheme, rules in (("light", {}), ("dark", {"runOnly": ["color-contrast"]})):
                page.emulate_media(color_scheme=scheme)
                found = Axe().run(page, options={"resultTypes": ["violations"], **rules})
                assert found.violations_count == 0, found.generate_report()
