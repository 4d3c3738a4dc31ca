"""The demo page in a browser: how tests open it, draw on it, and read what it shows."""

import contextlib
import io

import numpy as np
from PIL import Image
from playwright.sync_api import expect

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
HOMEWORK = ("diagonal", "mlp", "softmax")
QUESTIONS = ("backprop", "spaces")
SEVEN = [(0.3, 0.22), (0.5, 0.21), (0.7, 0.22), (0.62, 0.4), (0.53, 0.6), (0.46, 0.82)]
# Pairs of siblings of which one covers a part of the other.
OVERLAPS = """() => [...document.querySelectorAll("body, body *")]
    .filter((parent) => !parent.matches(".area, .cells, .picture, svg, svg *"))
    .flatMap((parent) => {
        const boxes = [...parent.children]
            .filter((each) => each.checkVisibility() && !each.matches(".hidden, .area *"))
            .map((each) => [each, each.getBoundingClientRect()]);
        return boxes.flatMap(([one, a], index) => boxes.slice(index + 1)
            .filter(([, b]) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
                && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1)
            .map(([other]) => `${one.outerHTML.slice(0, 60)} / ${other.outerHTML.slice(0, 60)}`));
    })"""


@contextlib.contextmanager
def open_page(browser, server, tab="digits", models=HOMEWORK, **options):
    """Open the page; at the end, check that it logged nothing and used no unexpected server.

    Args:
        browser: Browser of Playwright.
        server: `tests.serve.processes.Server`.
        tab: String, the name of the tab.
        models: Strings, the names of the served models that the page finds.
        options: `routes`, a dictionary from URL patterns to handlers; `script`, JavaScript that
            runs before the page's; `may_log`, whether messages on the console are allowed;
            `other`, the value of the parameter `server` in the page's address; and the options of
            a browser context.
    """
    routes, script = options.pop("routes", {}), options.pop("script", "")
    other = options.pop("other", "")
    allowed = [f"{server.url}/", "blob:", "data:"]
    allowed += [f"{other.partition('&')[0].rstrip('/')}/"] if other else []
    may_log = options.pop("may_log", False)
    with contextlib.closing(browser.new_context(**{"viewport": DESKTOP} | options)) as context:
        page = context.new_page()
        messages, urls = [], []
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("request", lambda request: urls.append(request.url))
        page.route("**/page/models.json", lambda route: select_models(route, models))
        for pattern, handler in routes.items():
            page.route(pattern, handler)
        page.add_init_script(script)
        page.goto(f"{server.url}/{other and f'?server={other}'}#{tab}")
        expect(
            page.locator(f"#{tab} > :is(.present, .missing), #error").filter(visible=True)
        ).to_be_visible()
        yield page
        assert urls
        assert all(url.startswith(tuple(allowed)) for url in urls), urls
        assert may_log or not messages, messages


def select_models(route, names):
    """Answer a request for the list of models with those of some names."""
    models = {model["name"]: model for model in route.fetch().json()["models"]}
    route.fulfill(json={"models": [models[name] for name in names]})


def points_on_sheet(page, points):
    box = page.locator("#sheet").bounding_box()
    return [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]


def points_on_grid(page, points):
    """Return the positions of points (row, column) in cells, such as (0.5, 0.5) for a centre."""
    box = page.locator("#grid .cells").bounding_box()
    width, height = box["width"] / 20, box["height"] / 20
    return [(box["x"] + column * width, box["y"] + row * height) for row, column in points]


def draw_with_mouse(page, points=SEVEN, steps=5, place=points_on_sheet):
    first, *rest = place(page, points)
    page.mouse.move(*first)
    page.mouse.down()
    for point in rest:
        page.mouse.move(*point, steps=steps)
    page.mouse.up()


def expect_seven(page):
    """Wait for the predictions; check that the status and the bars of both models say seven."""
    status = page.locator("#digit-answer")
    expect(status).to_have_text("Both models say 7")
    expect(page.locator("#cards")).to_have_attribute("aria-busy", "false")
    assert status.get_attribute("role") == "status"
    for name, rows in read_bars(page).items():
        winner = max(rows, key=lambda row: row["width"])
        assert (winner["digit"], winner["marked"]) == (7, True), name
        assert [row["digit"] for row in rows if row["marked"]] == [7]


def read_bars(page):
    """Return each card's rows: the digit, the bar's width in pixels, the number, the mark."""
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


def read_normalized_digit(page):
    """Return the picture that the page shows as what the models see, (28, 28)."""
    pixels = page.evaluate(
        """() => {
            const copy = document.createElement("canvas").getContext("2d");
            copy.drawImage(document.getElementById("pixels"), 0, 0);
            return [...copy.getImageData(0, 0, 28, 28).data];
        }"""
    )
    return np.array(pixels, np.uint8).reshape(28, 28, 4)[..., 0]


def read_ink(page, points):
    """Return which points of the sheet have ink, one boolean each."""
    return page.evaluate(
        """(points) => {
            const sheet = document.getElementById("sheet"), side = sheet.width;
            const context = new OffscreenCanvas(side, side).getContext("2d");
            context.drawImage(sheet, 0, 0);
            const pixels = context.getImageData(0, 0, side, side).data;
            return points.map((point) => {
                const [x, y] = point.map((each) => Math.min(side - 1, Math.floor(each * side)));
                return pixels[4 * (side * y + x) + 3] > 0;
            });
        }""",
        points,
    )


def read_grid(page):
    """Return the pixels of the grid, (20, 20)."""
    cells = page.evaluate(
        """() => [...document.querySelectorAll("[role=gridcell]")]
            .map((cell) => cell.getAttribute("aria-selected") === "true")"""
    )
    return np.array(cells, int).reshape(20, 20)


def read_feature_map(page):
    """Return the numbers of the feature map, (18, 18)."""
    numbers = page.evaluate(
        """() => [...document.querySelectorAll("#map .cells span")]
            .map((number) => Number(number.textContent))"""
    )
    return np.array(numbers).reshape(18, 18)


def encode_image(array, kind="png"):
    file = io.BytesIO()
    Image.fromarray(array).save(file, kind)
    return file.getvalue()
