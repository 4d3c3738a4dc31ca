// A picture of a part of the page: a copy of its elements in an SVG image, painted on a canvas.

const SCALE = 2; // pixels of the picture for a pixel of the page
const MARGIN = 16; // pixels of the page around the element
const SVG = "http://www.w3.org/2000/svg";
const DARK = "(prefers-color-scheme: dark)";

/** Return a PNG file, in a promise, of an element of `main` as one sees it. */
export async function takePicture(element) {
  const { left, width, height } = element.getBoundingClientRect();
  const image = new Image();
  // Not a blob: URL: a canvas that shows HTML from such a URL cannot be read.
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(toSvg(element, height + MARGIN))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(SCALE * (width + 2 * MARGIN));
  canvas.height = Math.ceil(SCALE * (height + 2 * MARGIN));
  const context = canvas.getContext("2d");
  context.fillStyle = getComputedStyle(document.body).backgroundColor;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, SCALE * (MARGIN - left), SCALE * MARGIN, SCALE * innerWidth, SCALE * (height + MARGIN));
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

/** Return an SVG image, as wide as the window, of a copy of an element and the page's style. */
function toSvg(element, height) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("width", innerWidth);
  svg.setAttribute("height", height);
  const isDark = matchMedia(DARK).matches;
  svg.style.colorScheme = isDark ? "dark" : "light";
  svg.style.fontSize = getComputedStyle(document.documentElement).fontSize; // the unit rem
  const style = svg.appendChild(document.createElementNS(SVG, "style"));
  style.textContent = readStyle().replaceAll(DARK, isDark ? "all" : "not all");
  const content = svg.appendChild(document.createElementNS(SVG, "foreignObject"));
  content.setAttribute("width", "100%");
  content.setAttribute("height", "100%");
  // The elements around it have the widths and the fonts.
  const main = content.appendChild(document.createElement("body")).appendChild(document.createElement("main"));
  main.append(copy(element));
  return new XMLSerializer().serializeToString(svg);
}

function readStyle() {
  return [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules].map((rule) => rule.cssText)).join("\n");
}

/** Return a copy of an element that also has what is painted on its canvases and typed in it. */
function copy(element) {
  const result = element.cloneNode(true);
  const copies = result.querySelectorAll("canvas, input");
  element.querySelectorAll("canvas, input").forEach((original, index) => {
    if (original.matches("input")) {
      copies[index].setAttribute("value", original.value);
      copies[index].toggleAttribute("checked", original.checked);
    } else if (original.checkVisibility()) {
      copyCanvas(original, copies[index].style);
    }
  });
  return result;
}

/** Style the copy of a canvas, which is empty in an image, so that it looks as the canvas. */
function copyCanvas(canvas, style) {
  const { display, width, height } = getComputedStyle(canvas);
  Object.assign(style, { width, height, display: display === "inline" ? "inline-block" : display });
  style.background = `url(${canvas.toDataURL()}) 0 0 / 100% 100% content-box`;
  style.backgroundColor = getComputedStyle(canvas).backgroundColor;
}
