"""The digits tab: drawings by mouse, finger and keyboard, pictures, and the predictions of them."""

import base64
import json
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from kerashw.datasets.pipeline import Batches
from kerashw.fitting import fit
from kerashw.models import convnet as convolutional
from tests.conftest import compiled
from tests.serve.page.browsing import (
    PHONE,
    SEVEN,
    draw_with_mouse,
    encode_image,
    expect_seven,
    open_page,
    points_on_sheet,
    read_bars,
    read_ink,
    read_normalized_digit,
)


def test_a_seven_is_drawn_with_the_mouse(digits, networks):
    draw_with_mouse(digits)
    expect_seven(digits)
    for status in digits.locator(".card .status").all_inner_texts():
        assert re.fullmatch(r"answered in [\d.]+ ms", status)
    # The bars are the probabilities that the Keras model gives the shown picture.
    image = read_normalized_digit(digits)
    for name, rows in read_bars(digits).items():
        probabilities = networks[name].predict(image[None, ..., None] / 255, verbose=0)[0]
        shown = [int(row["number"].removesuffix(" %")) for row in rows]
        np.testing.assert_allclose(shown, 100 * probabilities, atol=0.51)
        widths = np.array([row["width"] for row in rows])
        np.testing.assert_allclose(widths / widths.sum(), probabilities, atol=0.02)


def test_a_seven_is_drawn_with_a_finger(browser, page_server):
    options = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
    with open_page(browser, page_server, **options) as page:
        session = page.context.new_cdp_session(page)

        def touch(kind, *points):
            points = [{"x": x, "y": y} for x, y in points]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        def draw(points):
            first, *rest = points_on_sheet(page, points)
            touch("touchStart", first)
            for point in rest:
                touch("touchMove", point)
            touch("touchEnd")

        draw(SEVEN)
        expect_seven(page)
        page.locator("#clear-sheet").click()
        draw([(-0.03, 0.3), (0.1, 0.35), (0.4, 0.45), (0.5, 0.5)])  # it begins beside the sheet
        assert read_ink(page, [(0.0, 0.315), (0.1, 0.35), (0.5, 0.5)]) == [True] * 3
        assert page.evaluate("scrollY") == 0  # the finger draws and does not scroll


def test_a_seven_is_drawn_with_the_keys(digits):
    keys = digits.keyboard
    digits.locator("#digits-tab").focus()
    keys.press("Tab")
    assert digits.evaluate("document.activeElement.id") == "sheet"
    for key in ["ArrowUp"] * 8 + ["ArrowLeft"] * 6:
        keys.press(key)
    keys.press("Space")
    expect(digits.locator("#pen")).to_have_text("Pen down: row 7 of 28, column 9.")
    for _ in range(11):
        keys.press("ArrowRight")
    for _ in range(8):  # two arrow keys at once draw diagonally
        keys.down("ArrowDown")
        keys.press("ArrowLeft")
        keys.up("ArrowDown")
    keys.press("Space")
    expect(digits.locator("#pen")).to_contain_text("Pen up")
    expect_seven(digits)
    keys.press("Delete")
    expect(digits.locator("#digit-answer")).to_have_text("Draw a digit")
    assert not read_normalized_digit(digits).any()
    rows = [row for rows in read_bars(digits).values() for row in rows]
    assert not any(row["width"] or row["marked"] for row in rows)


def draw_in_size(page, size, place):
    """Draw a seven of this share of the usual size; return what the models see, (28, 28)."""
    points = place + size * (np.array(SEVEN) - 0.5)
    draw_with_mouse(page, points.tolist())
    expect_seven(page)
    return read_normalized_digit(page)


def test_a_tiny_seven_is_a_seven(digits):
    draw_in_size(digits, 1 / 20, place=(0.1, 0.9))
    assert read_ink(digits, [(0.09, 0.886), (0.15, 0.9)]) == [True, False]


@pytest.mark.slow
def test_the_size_and_the_place_of_a_drawing_change_no_answer(digits, data):
    convnet = compiled(convolutional())
    train = Batches(data.train_images[:6_000], data.train_labels[:6_000], batch_size=128, seed=0)
    fit(convnet, train, verbose=0)
    sizes = (1, 1 / 2, 1 / 4, 1 / 10, 1 / 20)
    seen = []
    for size, place in [
        *((size, (size / 2, 1 - size / 2)) for size in sizes),
        (1 / 20, (0.5, 0.5)),
    ]:
        digits.locator("#clear-sheet").click()
        expect(digits.locator("#digit-answer")).to_have_text("Draw a digit")
        seen.append(draw_in_size(digits, size, place))
    images = np.stack(seen)[..., np.newaxis] / 255
    assert convnet.predict(images, verbose=0).argmax(axis=-1).tolist() == [7] * len(seen)
    small = np.stack(seen[2:]).astype(float)  # below the full size, the pictures are the same
    assert np.abs(small - small[0]).mean() < 12


def test_a_picture_is_opened_or_pasted(digits, data):
    index = int(np.flatnonzero(data.test_labels == 7)[0])
    picture = encode_image(255 - np.kron(data.test_images[index], np.ones((9, 9), np.uint8)))
    file = {"name": "seven.png", "mimeType": "image/png", "buffer": picture}
    digits.set_input_files("#open", file)
    expect_seven(digits)
    opened = read_normalized_digit(digits)
    digits.get_by_role("button", name="Clear").first.click()
    expect(digits.locator("#digit-answer")).to_have_text("Draw a digit")
    digits.evaluate(
        """(bytes) => {
            const clipboard = new DataTransfer();
            const content = Uint8Array.from(atob(bytes), (each) => each.charCodeAt(0));
            clipboard.items.add(new File([content], "pasted.png", { type: "image/png" }));
            dispatchEvent(new ClipboardEvent("paste", { clipboardData: clipboard }));
        }""",
        base64.b64encode(picture).decode(),
    )
    expect_seven(digits)
    np.testing.assert_array_equal(read_normalized_digit(digits), opened)
    text = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    digits.set_input_files("#open", text)
    expect(digits.locator("#pen")).to_contain_text("notes.txt is not a picture")


@pytest.mark.slow
def test_pictures_of_these_formats_are_opened(digits, data):
    accepted = digits.locator("#open").get_attribute("accept").split(",")
    assert accepted == [f"image/{kind}" for kind in ("png", "jpeg", "gif", "bmp", "webp")]
    index = int(np.flatnonzero(data.test_labels == 7)[0])
    large = 255 - np.kron(data.test_images[index], np.ones((9, 9), np.uint8))
    for kind in accepted[1:]:  # other tests open PNG files
        digits.locator("#clear-sheet").click()
        expect(digits.locator("#digit-answer")).to_have_text("Draw a digit")
        picture = encode_image(large, kind.removeprefix("image/"))
        digits.set_input_files("#open", {"name": "seven", "mimeType": kind, "buffer": picture})
        expect_seven(digits)


def test_a_sheet_without_a_digit(browser, page_server):
    with open_page(browser, page_server, may_log=True) as page:
        draw_with_mouse(page)
        expect_seven(page)
        picture = encode_image(np.full((90, 120), 240, np.uint8))
        file = {"name": "blank.png", "mimeType": "image/png", "buffer": picture}
        page.set_input_files("#open", file)
        expect(page.locator("#digit-answer")).to_contain_text("There is no digit on the sheet")
        expect(page.locator(".card .status")).to_have_text(["finds no digit"] * 2)
        assert not read_normalized_digit(page).any()
        assert not any(row["marked"] for rows in read_bars(page).values() for row in rows)
        draw_with_mouse(page)
        expect_seven(page)


def test_a_stroke_that_begins_beside_the_sheet(digits):
    for start in ((-0.001, 0.3), (-0.1, 0.3), (0.0, 0.0), (0.4, -0.02), (1.03, 0.5), (0.6, 1.01)):
        digits.locator("#clear-sheet").click()
        draw_with_mouse(digits, [start, (0.5, 0.45)], steps=8)
        on_edge = [min(1, max(0, each)) for each in start]
        assert read_ink(digits, [on_edge, (0.5, 0.45)]) == [True, True], start
        assert digits.evaluate("String(getSelection())") == ""
        digits.mouse.move(*points_on_sheet(digits, [(0.9, 0.9)])[0])  # the button is up
        assert read_ink(digits, [(0.9, 0.9)]) == [False]
    # A button that is pressed does not draw.
    digits.locator("#clear-sheet").click()
    digits.mouse.down()
    digits.mouse.move(*points_on_sheet(digits, [(0.5, 0.5)])[0], steps=8)
    digits.mouse.up()
    assert read_ink(digits, [(0.5, 0.5), (0.3, 0.9)]) == [False, False]


# Holds the requests for digits back until `release()`, and records them by URL and signature.
HOLD_REQUESTS = """
const originalFetch = fetch;
const released = new Promise((resolve) => { window.release = resolve; });
window.requests = {};
window.mostAtOnce = 0;
window.fetch = async (url, options) => {
    if (options?.method !== "POST" || url.includes("diagonal")) return originalFetch(url, options);
    const { signature_name, instances } = JSON.parse(options.body);
    const log = requests[`${url} ${signature_name}`] ??= { running: 0, pictures: [] };
    log.pictures.push(instances[0].b64);
    mostAtOnce = Math.max(mostAtOnce, ++log.running);
    await released;
    const response = await originalFetch(url, options);
    log.running -= 1;
    return response;
};
"""
NEXT_FRAME = "() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))"


def test_one_request_runs_at_a_time_and_only_the_newest_drawing_waits(browser, page_server):
    with open_page(browser, page_server, script=HOLD_REQUESTS) as page:
        draw_with_mouse(page, [(0.5, 0.15), (0.5, 0.85)], steps=20)
        page.evaluate(NEXT_FRAME)
        first = page.evaluate("requests")
        assert len(first) == 3  # the predictions of two models, and what they see
        page.get_by_role("button", name="Clear").first.click()
        draw_with_mouse(page, steps=20)
        page.evaluate(NEXT_FRAME)
        assert page.evaluate("requests") == first
        page.evaluate("release()")
        expect_seven(page)
        assert page.evaluate("mostAtOnce") == 1
        pictures = [log["pictures"] for log in page.evaluate("requests").values()]
        assert [len(each) for each in pictures] == [2, 2, 2]
        [newest] = {each[-1] for each in pictures}
        instances = [{"b64": newest}]
        request = {"signature_name": "normalized", "instances": instances}
        _, response = page_server.post("/v1/models/mlp:predict", request)
        np.testing.assert_array_equal(read_normalized_digit(page), response["predictions"][0])


def test_an_error_of_a_model_is_shown(browser, page_server):
    def fail(route):
        route.fulfill(status=503, body=json.dumps({"error": "The queue is full"}))

    routes = {"**/mlp:predict": fail}
    with open_page(browser, page_server, may_log=True, routes=routes) as page:
        draw_with_mouse(page)
        expect(page.locator("#digit-answer")).to_have_text("softmax says 7")
        status = page.locator(".card .status").first
        expect(status).to_have_text("No answer: The queue is full")
