// Numbers as text, and as a matrix of cells.

import { create } from "./elements.js";

const LONG_DIGITS = 6; // significant ones
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** Return a number in at most six characters or so, such as "−0.25", "12.3" or "1.2e5". */
export function shortNumber(value) {
  const size = Math.abs(value);
  if (size >= 1000) return withMinus(value.toExponential(1).replace("e+", "e"));
  const text = value.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
  return withMinus(/[1-9]/.test(text) ? text : text.replace("-", ""));
}

/** Return a number with six significant digits. */
export function longNumber(value) {
  return withMinus(value.toPrecision(LONG_DIGITS));
}

/** Return a small number that is not negative with a power of ten, such as "2 · 10⁻¹¹". */
export function tinyNumber(value) {
  if (value === 0) return "0";
  const [digit, exponent] = value.toExponential(0).split("e");
  return `${digit}\u00a0·\u00a010${exponent.replace("+", "").replace("-", "⁻").replace(/\d/g, (each) => SUPERSCRIPTS[each])}`;
}

/**
 * Return an element that shows a matrix, or a vector as a column.
 *
 * @param name The name that a screen reader reads before the numbers.
 * @param rows An array of numbers, or of arrays of numbers; null for numbers that are not there yet.
 * @param format Function from a number to its text.
 */
export function createMatrix(name, rows, format = shortNumber) {
  const cells = rows.map((row) => [row].flat().map((value) => (value === null ? "·" : format(value))));
  const spans = cells.flat().map((text) => create("span", {}, text));
  const label = `${name}: ${cells.map((row) => row.join(", ")).join("; ")}`;
  const matrix = create("div", { className: "matrix", role: "img", "aria-label": label }, ...spans);
  matrix.style.setProperty("--columns", cells[0].length);
  return matrix;
}

/** Return numbers, rounded to three digits after the point, as the text of a link. */
export function toLinkText(numbers) {
  return numbers.map((each) => Math.round(1000 * each)).join("_");
}

/** Return the numbers of a text of `toLinkText`; an error if they are not `count` numbers. */
export function fromLinkText(text, count) {
  const numbers = text.split("_").map((each) => Number(each) / 1000);
  if (numbers.length !== count || !numbers.every(Number.isFinite)) throw new Error("damaged");
  return numbers;
}

function withMinus(text) {
  return text.replaceAll("-", "−");
}
