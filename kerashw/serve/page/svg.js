// Short ways to create the elements of an SVG drawing.

const NAMESPACE = "http://www.w3.org/2000/svg";

/**
 * Return a new SVG element.
 *
 * @param tag The name of its tag.
 * @param attributes {name: value}.
 * @param children Its children, elements or strings.
 */
export function createSvg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Return the path, as text, of the lines through points: an array of [x, y]. */
export function toPath(points) {
  return `M${points.map((point) => point.map((each) => each.toFixed(2)).join(" ")).join("L")}`;
}
