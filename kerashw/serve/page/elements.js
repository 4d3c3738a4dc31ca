// A short way to create elements.

/**
 * Return a new element.
 *
 * @param tag The name of its tag.
 * @param properties Its properties, such as {className: "picture"}. A property whose name has a
 *   hyphen, and "role", is an attribute.
 * @param children Its children, elements or strings.
 */
export function create(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}
