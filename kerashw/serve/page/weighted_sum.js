// The weighted sum of a unit or of a number of a map, in words.

/** Return {support, against}: the sums of the positive and of the negative numbers. */
export function sumBySign(numbers) {
  let support = 0;
  let against = 0;
  for (const each of numbers) {
    if (each > 0) support += each;
    else against += each;
  }
  return { support, against };
}

/** Return a number with a true minus sign. */
export function format(number, digits = 2) {
  const text = Math.abs(number).toFixed(digits);
  return Number(text) && number < 0 ? `−${text}` : text;
}

/**
 * Return the texts of the sums for and against, of a start and of the total, which add up exactly.
 * The sums come from pictures, so the one for takes their rounding.
 */
export function addUp(against, start, total) {
  const cents = [against, start, total].map((each) => Math.round(100 * each));
  const support = cents[2] - cents[0] - cents[1];
  return [support, ...cents].map((each) => format(each / 100));
}

/**
 * Explain how the products of inputs and weights give an output.
 *
 * @param products The products; the weights come from pictures, so that they are not exact.
 * @param bias The bias.
 * @param activation The name of the activation; null if there is none.
 * @param output The exact output; undefined if it is not shown, as that of a softmax.
 */
export function explainSum(products, bias, activation, output) {
  const { support, against } = sumBySign(products);
  const isSum = activation === null || (activation === "relu" && output > 0);
  const total = isSum && output !== undefined ? output : support + against + bias;
  const texts = addUp(against, bias, total);
  const sum = `Inputs × weights: ${texts[0]} for, ${texts[1]} against; bias ${texts[2]}. The sum is ${texts[3]}`;
  if (activation === null || output === undefined) return `${sum}.`;
  return `${sum}, and ${activation} turns it into ${format(output)}.`;
}
