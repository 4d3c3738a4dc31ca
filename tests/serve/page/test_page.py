"""The demo page in a real browser, of a real server with trained models."""

import base64
import contextlib
import io
import json
import re

import numpy as np
import pytest
import tensorflow as tf
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect, sync_playwright

from kerashw.datasets.pipeline import Batches
from kerashw.export import export_saved_model, write_models_config
from kerashw.fitting import fit
from kerashw.models import diagonal_classifier, mlp, softmax_regression
from kerashw.verify.diagonal_proof import worked_example
from tests.conftest import compiled, tool
from tests.serve.processes import serving

# A browser asks nobody but the page's server.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
SEVEN = [(0.3, 0.22), (0.5, 0.21), (0.7, 0.22), (0.62, 0.4), (0.53, 0.6), (0.46, 0.82)]


@pytest.fixture(scope="module")
def browser():
    chromium = tool("chromium")
    expect.set_options(timeout=30_000)  # on a machine that has much else to do
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield running
        running.close()


@pytest.fixture(scope="module")
def networks(browser, data):
    """The models that are served, by name."""
    # A third of MNIST is enough to tell a clear 7 with more than 90 %.
    train = Batches(data.train_images[:20_000], data.train_labels[:20_000], batch_size=128, seed=0)
    test = Batches(data.test_images, data.test_labels, batch_size=500)
    trained = [compiled(softmax_regression()), compiled(mlp())]
    for model in trained:
        fit(model, train, test, epochs=1, verbose=0)
    return {model.name: model for model in (*trained, diagonal_classifier())}


@pytest.fixture(scope="module")
def server(networks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    for name, model in networks.items():
        export_saved_model(model, folder / name)
    with serving(f"--model_config_file={write_models_config(folder)}") as running:
        yield running


@contextlib.contextmanager
def opened(browser, server, tab="digits", may_fail=False, routes=(), **options):
    """Open the page; at the end, nothing has gone wrong in it, and it has asked its server only."""
    with contextlib.closing(browser.new_context(**{"viewport": DESKTOP} | options)) as context:
        page = context.new_page()
        problems, asked = [], []
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        for pattern, handler in routes:
            page.route(pattern, handler)
        page.goto(f"{server.url}/#{tab}")
        yield page
        assert asked
        assert all(url.startswith(f"{server.url}/") for url in asked), asked
        assert may_fail or not problems


@pytest.fixture
def page(browser, server):
    with opened(browser, server) as page:
        yield page


@pytest.fixture
def diagonals(browser, server):
    with opened(browser, server, "diagonals") as page:
        yield page


def on_the_sheet(page, points):
    box = page.locator("#sheet").bounding_box()
    return [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]


def draw_with_the_mouse(page, points=SEVEN, steps=5):
    first, *rest = on_the_sheet(page, points)
    page.mouse.move(*first)
    page.mouse.down()
    for point in rest:
        page.mouse.move(*point, steps=steps)
    page.mouse.up()


def says_seven(page):
    """The live region says seven, and so do the bars."""
    live = page.locator("#digit-answer")
    expect(live).to_have_text("Both models say 7")
    assert live.get_attribute("role") == "status"
    for name, rows in bars(page).items():
        winner = max(rows, key=lambda row: row["width"])
        assert (winner["digit"], winner["marked"]) == (7, True), name
        assert [row["digit"] for row in rows if row["marked"]] == [7]
    return True


def bars(page):
    """Each card's rows: the digit, the bar's width in pixels, the number beside it, the mark."""
    return page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll(".card")].map((card) => [
            card.querySelector("h2").textContent,
            [...card.querySelectorAll("tr")].map((row) => ({
                digit: Number(row.querySelector("th").textContent),
                width: row.querySelector(".bar").getBoundingClientRect().width,
                number: row.querySelector("td:last-child").textContent,
                marked: getComputedStyle(row.querySelector("th"), "::before").visibility
                    === "visible",
            })),
        ]))"""
    )


def seen(page):
    """The picture that the page shows as what the models see, (28, 28)."""
    pixels = page.evaluate(
        """() => {
            const copy = document.createElement("canvas").getContext("2d");
            copy.drawImage(document.getElementById("pixels"), 0, 0);
            return [...copy.getImageData(0, 0, 28, 28).data];
        }"""
    )
    return np.array(pixels, np.uint8).reshape(28, 28, 4)[..., 0]


def png(array):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def test_a_seven_is_drawn_with_the_mouse(page, networks):
    draw_with_the_mouse(page)
    assert says_seven(page)
    for took in page.locator(".took").all_inner_texts():
        assert re.fullmatch(r"answered in [\d.]+ ms", took)
    # The bars are those of the picture that is shown, by the model in Keras.
    image = seen(page)
    for name, rows in bars(page).items():
        probabilities = networks[name].predict(image[None, ..., None] / 255, verbose=0)[0]
        shown = [int(row["number"].removesuffix(" %")) for row in rows]
        np.testing.assert_allclose(shown, 100 * probabilities, atol=0.51)
        widths = np.array([row["width"] for row in rows])
        np.testing.assert_allclose(widths / widths.sum(), probabilities, atol=0.02)


def test_a_seven_is_drawn_with_a_finger(browser, server):
    with opened(browser, server, viewport=PHONE, has_touch=True, is_mobile=True) as page:
        finger = page.context.new_cdp_session(page)

        def touch(kind, *points):
            points = [{"x": x, "y": y} for x, y in points]
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        first, *rest = on_the_sheet(page, SEVEN)
        touch("touchStart", first)
        for point in rest:
            touch("touchMove", point)
        touch("touchEnd")
        assert says_seven(page)
        assert page.evaluate("scrollY") == 0  # drawn, not scrolled


def test_a_seven_is_drawn_with_the_keys(page):
    keys = page.keyboard
    page.locator("#digits-tab").focus()
    keys.press("Tab")
    assert page.evaluate("document.activeElement.id") == "sheet"
    for key in ["ArrowUp"] * 8 + ["ArrowLeft"] * 6:
        keys.press(key)
    keys.press("Space")
    expect(page.locator("#pen")).to_have_text("Pen down: row 7 of 28, column 9.")
    for _ in range(11):
        keys.press("ArrowRight")
    for _ in range(8):  # aslant: both arrows are held
        keys.down("ArrowDown")
        keys.press("ArrowLeft")
        keys.up("ArrowDown")
    keys.press("Space")
    expect(page.locator("#pen")).to_contain_text("Pen up")
    assert says_seven(page)
    keys.press("Delete")
    expect(page.locator("#digit-answer")).to_have_text("Draw a digit")
    assert not seen(page).any()
    assert not any(row["width"] or row["marked"] for rows in bars(page).values() for row in rows)


def test_a_picture_is_opened_or_pasted(page, data):
    index = int(np.flatnonzero(data.test_labels == 7)[0])
    paper = png(255 - np.kron(data.test_images[index], np.ones((9, 9), np.uint8)))
    page.set_input_files("#open", {"name": "seven.png", "mimeType": "image/png", "buffer": paper})
    assert says_seven(page)
    opened_as = seen(page)
    page.get_by_role("button", name="Clear").first.click()
    expect(page.locator("#digit-answer")).to_have_text("Draw a digit")
    page.evaluate(
        """(bytes) => {
            const clipboard = new DataTransfer();
            const content = Uint8Array.from(atob(bytes), (each) => each.charCodeAt(0));
            clipboard.items.add(new File([content], "pasted.png", { type: "image/png" }));
            dispatchEvent(new ClipboardEvent("paste", { clipboardData: clipboard }));
        }""",
        base64.b64encode(paper).decode(),
    )
    assert says_seven(page)
    np.testing.assert_array_equal(seen(page), opened_as)
    text = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    page.set_input_files("#open", text)
    expect(page.locator("#pen")).to_contain_text("notes.txt is not a picture")


def test_one_request_at_a_time_and_the_last_drawing_wins(page, server):
    under_way, most, asked = {}, {}, {}

    def key(request):
        return request.url, json.loads(request.post_data)["signature_name"]

    def counted(handler):  # not what the other tab asks
        return lambda request: request.url.endswith("/diagonal:predict") or handler(request)

    def started(request):
        under_way[key(request)] = under_way.get(key(request), 0) + 1
        most[key(request)] = max(most.get(key(request), 0), under_way[key(request)])
        asked.setdefault(key(request), []).append(json.loads(request.post_data)["instances"][0])

    def ended(request):
        under_way[key(request)] -= 1

    slow = page.context.new_cdp_session(page)
    slow.send("Network.enable")
    unlimited = {"downloadThroughput": -1, "uploadThroughput": -1}
    slow.send("Network.emulateNetworkConditions", {"offline": False, "latency": 100, **unlimited})
    page.on("request", counted(started))
    page.on("requestfinished", counted(ended))
    one = [(0.5, 0.15), (0.5, 0.85)]
    draw_with_the_mouse(page, one, steps=20)
    page.get_by_role("button", name="Clear").first.click()
    draw_with_the_mouse(page, steps=20)
    assert says_seven(page)
    assert set(most.values()) == {1}
    assert len(asked) == 3  # two models, and what they see
    assert all(len(pictures) < 60 for pictures in asked.values())  # not every frame's
    last = {pictures[-1]["b64"] for pictures in asked.values()}
    assert len(last) == 1
    instances = [{"b64": last.pop()}]
    request = {"signature_name": "normalized", "instances": instances}
    _, answer = server.post("/v1/models/mlp:predict", request)
    np.testing.assert_array_equal(seen(page), answer["predictions"][0])


def test_a_model_that_does_not_answer_says_why(browser, server):
    def refuse(route):
        route.fulfill(status=503, body=json.dumps({"error": "The queue is full"}))

    with opened(browser, server, may_fail=True, routes=[("**/mlp:predict", refuse)]) as page:
        draw_with_the_mouse(page)
        expect(page.locator("#digit-answer")).to_have_text("softmax says 7")
        expect(page.locator(".took").first).to_have_text("No answer: The queue is full")


def test_without_a_model_the_page_says_what_to_type(browser, server):
    def none(route):
        route.fulfill(json={"models": []})

    with opened(browser, server, routes=[("**/page/models.json", none)]) as page:
        for tab, model in (("digits", "softmax"), ("diagonals", "diagonal")):
            page.locator(f"#{tab}-tab").click()
            shown = page.get_by_role("tabpanel").inner_text()
            assert f"python -m kerashw.train --model {model}" in shown
            assert "python -m kerashw.serve --model_config_file=" in shown
            expect(page.locator(f"#{tab} canvas, #{tab} [role=grid]").first).to_be_hidden()


CLOTHES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"]
CLOTHES += ["Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]


class Bare(tf.Module):
    """A reader of digits whose only output are probabilities: seven, always."""

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, "image_bytes")])
    def read(self, image_bytes):
        return {"probabilities": tf.tile(tf.one_hot([7], 10), [tf.size(image_bytes), 1])}


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """A server of models that are not the homework's."""
    folder = tmp_path_factory.mktemp("others")
    clothes = softmax_regression()
    clothes.set_weights([np.zeros((784, 10)), 10 * np.eye(10)[9]])
    export_saved_model(clothes, folder / "clothes", CLOTHES)
    export_saved_model(diagonal_classifier(size=4), folder / "longer")
    bare = Bare()
    tf.saved_model.save(bare, str(folder / "bare" / "1"), {"image_bytes": bare.read})
    with serving(f"--model_config_file={write_models_config(folder)}") as running:
        yield running


def test_classes_have_their_labels_and_probabilities_may_come_alone(browser, others):
    with opened(browser, others, viewport=PHONE) as page:
        for _ in range(2):
            draw_with_the_mouse(page)
            live = page.locator("#digit-answer")
            expect(live).to_have_text("bare says 7, clothes says Ankle boot")
            page.locator("#clear-sheet").click()
            expect(live).to_have_text("Draw a digit")
        for card, labels in ((0, list("0123456789")), (1, CLOTHES)):
            assert page.locator(".card").nth(card).locator("th").all_inner_texts() == labels
        draw_with_the_mouse(page)
        expect(page.locator(".winner th")).to_have_text(["7", "Ankle boot"])
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        assert page.evaluate(OVERLAPS) == []
        widths = page.locator(".winner .bar").evaluate_all("all => all.map((e) => e.offsetWidth)")
        assert min(widths) > 20


def test_a_model_of_longer_diagonals_is_not_the_tabs(browser, others):
    with opened(browser, others, "diagonals") as page:
        missing = page.locator("#diagonals .missing")
        expect(missing).to_contain_text("count diagonals of 3 pixels")
        expect(page.locator("#grid")).to_be_hidden()


def test_the_tabs_take_the_arrow_keys(page):
    page.locator("#digits-tab").focus()
    for key, selected in (
        ("ArrowRight", "diagonals"),
        ("ArrowRight", "digits"),
        ("ArrowLeft", "diagonals"),
        ("Home", "digits"),
        ("End", "diagonals"),
    ):
        page.keyboard.press(key)
        tab = page.get_by_role("tab", selected=True)
        assert tab.evaluate("each => each === document.activeElement")
        assert page.get_by_role("tabpanel").get_attribute("id") == selected
        assert page.url.endswith(f"#{selected}")


def pixels(page):
    """The grid as it is drawn, (20, 20)."""
    cells = page.evaluate(
        """() => [...document.querySelectorAll("[role=gridcell]")]
            .map((cell) => cell.getAttribute("aria-selected") === "true")"""
    )
    return np.array(cells, int).reshape(20, 20)


def sums(page):
    """The numbers of the feature map, (18, 18)."""
    numbers = page.evaluate(
        """() => [...document.querySelectorAll("#map .cells span")]
            .map((number) => Number(number.textContent))"""
    )
    return np.array(numbers).reshape(18, 18)


def correlated(image):
    return image[:-2, 2:] + image[1:-1, 1:-1] + image[2:, :-2]


def test_the_worked_example_has_two_peaks(diagonals):
    example, answer = worked_example(), diagonals.locator("#diagonal-answer")
    for button, text in (
        ("Clear", "0 peaks: Class 2"),
        ("Main diagonals", "0 peaks: Class 2"),
        ("Worked example", "2 peaks: Class 2"),
    ):
        diagonals.get_by_role("tabpanel").get_by_role("button", name=button).click()
        expect(answer).to_have_text(text)
        explained = diagonals.locator("#explained")
        if button == "Clear":
            expect(explained).to_contain_text("even of an empty image")
            assert not pixels(diagonals).any()
        if button == "Main diagonals":
            expect(explained).to_contain_text("Only diagonals from the lower left")
            assert correlated(pixels(diagonals)[:, ::-1]).max() == 3
    np.testing.assert_array_equal(pixels(diagonals), example.image)
    np.testing.assert_array_equal(sums(diagonals), example.feature_map)
    places = [f"row {row}, column {column}" for row, column in np.argwhere(example.peaks)]
    expect(diagonals.locator("#peaks")).to_have_text(f"The peaks: {'; '.join(places)}.")
    expect(diagonals.locator("#grid .frame")).to_have_count(2)
    expect(diagonals.get_by_role("img", name="Feature map. Peaks: ")).to_be_visible()


def test_pixels_are_drawn_with_the_mouse(diagonals):
    clear(diagonals)
    cells = diagonals.locator("[role=gridcell]")
    boxes = [cells.nth(20 * row + 12 - row).bounding_box() for row in (6, 7, 8)]
    middles = [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes]
    diagonals.mouse.move(*middles[0])
    diagonals.mouse.down()
    diagonals.mouse.move(*middles[2], steps=9)
    diagonals.mouse.up()
    expect(diagonals.locator("#diagonal-answer")).to_have_text("1 peak: Class 1")
    assert {tuple(place) for place in np.argwhere(pixels(diagonals))} >= {(6, 6), (7, 5), (8, 4)}
    np.testing.assert_array_equal(sums(diagonals), correlated(pixels(diagonals)))


def test_pixels_are_drawn_with_the_keys(diagonals):
    clear(diagonals)
    keys = diagonals.keyboard
    keys.press("Shift+Tab")  # from the first button to the grid
    for key in ["End", "ArrowLeft", *["Space", "ArrowDown", "ArrowLeft"] * 3]:
        keys.press(key)
    expect(diagonals.locator("#diagonal-answer")).to_have_text("1 peak: Class 1")
    assert np.argwhere(pixels(diagonals)).tolist() == [[0, 18], [1, 17], [2, 16]]
    focus = "document.activeElement.getAttribute('aria-label')"
    assert diagonals.evaluate(focus) == "row 3, column 15"
    keys.press("Home")
    keys.press("ArrowLeft")  # there is nothing to the left
    assert diagonals.evaluate(focus) == "row 3, column 0"


def clear(page):
    expect(page.locator("#diagonal-answer")).to_have_text("2 peaks: Class 2")
    page.locator("#clear-grid").click()
    expect(page.locator("#diagonal-answer")).to_have_text("0 peaks: Class 2")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_is_too_wide_or_overlaps(browser, server, viewport):
    with opened(browser, server, viewport=viewport) as page:
        draw_with_the_mouse(page)
        assert says_seven(page)
        for tab in ("digits", "diagonals"):
            page.locator(f"#{tab}-tab").click()
            assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
            assert page.evaluate(OVERLAPS) == []


# Pairs of neighbours in the page, all the way down, of which one covers a part of the other.
OVERLAPS = """() => [...document.querySelectorAll("body, body *:not(.area, .cells)")].flatMap(
    (parent) => {
        const boxes = [...parent.children]
            .filter((each) => each.checkVisibility() && !each.matches(".hidden, .area *"))
            .map((each) => [each, each.getBoundingClientRect()]);
        return boxes.flatMap(([one, a], place) => boxes.slice(place + 1)
            .filter(([, b]) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
                && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1)
            .map(([other]) => `${one.outerHTML.slice(0, 60)} / ${other.outerHTML.slice(0, 60)}`));
    })"""


def test_the_page_is_accessible(browser, server):
    """No rule of axe's is broken, in light and dark."""
    with opened(browser, server, color_scheme="light") as page:
        draw_with_the_mouse(page)
        assert says_seven(page)
        for tab, answer in (("digits", "7"), ("diagonals", "2 peaks")):
            page.locator(f"#{tab}-tab").click()
            expect(page.get_by_role("tabpanel").get_by_role("status").first).to_contain_text(answer)
            # The scheme changes nothing but colours.
            for scheme, rules in (("light", None), ("dark", {"runOnly": ["color-contrast"]})):
                page.emulate_media(color_scheme=scheme)
                found = Axe().run(page, options=rules)
                assert found.response["passes"]
                assert found.violations_count == 0, found.generate_report()
