// The colours of numbers in pictures, as tables of 256 pixels.

const POWER = 0.65; // of a number in its colour's strength: small numbers are visible too

/**
 * Return the tables for the colours that an element inherits from the style sheet.
 *
 * @returns {signed, grey, bright, overlay}. `signed` goes from --against (-1) over --nothing (0, at 128)
 *   to --for (1); `grey` and `bright` from black (0) to white (1), of which `bright` shows small
 *   numbers too; `overlay` is as `signed` but transparent at 0.
 */
export function readColours(element) {
  const style = getComputedStyle(element);
  const [against, nothing, support] = ["--against", "--nothing", "--for"].map((name) =>
    parseHex(style.getPropertyValue(name).trim()),
  );
  const table = (pixel) => Uint32Array.from({ length: 256 }, (_, level) => pixel(level));
  const mix = (level) => {
    const weight = strength(level);
    const end = level < 128 ? against : support;
    return nothing.map((each, channel) => each + weight * (end[channel] - each));
  };
  return {
    signed: table((level) => toPixel(mix(level), 255)),
    grey: table((level) => toPixel([level, level, level], 255)),
    bright: table((level) => toPixel(Array(3).fill(255 * (level / 255) ** POWER), 255)),
    overlay: table((level) => {
      return toPixel(level < 128 ? against : support, 255 * strength(level));
    }),
  };
}

/** Return the level of a number in a table: of a signed one, 128 is zero. */
export function levelOf(number, scale, isSigned) {
  if (!scale) return isSigned ? 128 : 0;
  const level = isSigned ? 128 + (127 * number) / scale : (255 * number) / scale;
  return Math.round(Math.min(255, Math.max(isSigned ? 1 : 0, level)));
}

/** Return the CSS colours of a pixel of a table and of text on it, whose contrast is at least 4.5. */
export function toCss(pixel) {
  const channels = [0, 8, 16].map((shift) => (pixel >> shift) & 255);
  const [red, green, blue] = channels.map((each) => (each / 255) ** 2.2);
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return { background: `rgb(${channels.join(" ")})`, text: luminance > 0.18 ? "#000" : "#fff" };
}

/** Return how strong the colour of a level is, from 0 to 1. */
function strength(level) {
  return Math.min(1, Math.abs(level - 128) / 127) ** POWER;
}

function parseHex(colour) {
  return [1, 3, 5].map((start) => parseInt(colour.slice(start, start + 2), 16));
}

/** Return a pixel as the bytes of ImageData in a little-endian integer. */
function toPixel(channels, opacity) {
  return [...channels, opacity].reduce((sum, each, index) => sum + Math.round(each) * 256 ** index, 0);
}
