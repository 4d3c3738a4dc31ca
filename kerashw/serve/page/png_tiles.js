// Numbers that a model returns as the pixels of a grey PNG.

/** Decode a PNG in base64: {width, height, greys}, the pixels row by row from 0 to 255. */
export async function decodePng(base64) {
  const text = atob(base64);
  const bytes = Uint8Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }), {
    colorSpaceConversion: "none",
  });
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  return { width, height, greys: Uint8Array.from({ length: width * height }, (_, i) => data[4 * i]) };
}

/**
 * Return the numbers of tiles that lie row by row in a picture, one tile after the other.
 *
 * @param picture A picture of `decodePng`.
 * @param tiles {count, height, width} of the tiles.
 * @param scale The number whose pixel is 255.
 * @param isSigned Whether the pixel of 0 is 128 rather than 0.
 */
export function readTiles(picture, { count, height, width }, scale, isSigned) {
  const zero = isSigned ? 128 : 0;
  const unit = scale / (255 - zero);
  const columns = Math.floor(picture.width / width);
  const numbers = new Float32Array(count * height * width);
  let next = 0;
  for (let tile = 0; tile < count; tile += 1) {
    const left = (tile % columns) * width;
    const top = Math.floor(tile / columns) * height;
    for (let row = top; row < top + height; row += 1) {
      for (let column = left; column < left + width; column += 1) {
        numbers[next] = (picture.greys[row * picture.width + column] - zero) * unit;
        next += 1;
      }
    }
  }
  return numbers;
}
