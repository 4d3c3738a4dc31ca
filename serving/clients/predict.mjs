// Send an image to a model on a server with fetch, and print the prediction. In Node 18 or newer:
//     node predict.mjs URL MODEL FILE
// FILE is a PNG, JPEG, GIF or BMP image, or JSON with 28 rows of 28 pixels of 0 to 255.
// In a web page (for pages of other origins the server needs --rest_api_enable_cors_support):
//     import { base64, predict } from "./predict.mjs";
//     const image = { b64: base64(await file.arrayBuffer()) }; // of an <input type="file">
//     const outputs = await predict(url, "convnet", "image_bytes", { image_bytes: [image] });

/** Return the outputs of a model by name. The promise rejects with the error text of the server. */
export async function predict(url, model, signature, inputs) {
  const response = await fetch(`${url}/v1/models/${model}:predict`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ signature_name: signature, inputs }),
    signal: AbortSignal.timeout(30_000),
  });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()).outputs;
}

/** Return the base64 text of an ArrayBuffer. */
export function base64(buffer) {
  return btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(""));
}

async function main(url, model, file) {
  if (!file) throw new Error("expected: node predict.mjs URL MODEL FILE");
  const { readFile } = await import("node:fs/promises");
  const data = await readFile(file);
  const outputs = file.endsWith(".json")
    ? await predict(url, model, "pixels", { image: [JSON.parse(data)] })
    : await predict(url, model, "image_bytes", { image_bytes: [{ b64: base64(data) }] });
  console.log(JSON.stringify({ outputs }));
}

// Runs if this file is the command, not if a page or another module imports it.
if (globalThis.process?.argv[1]?.endsWith("predict.mjs")) {
  main(...process.argv.slice(2)).catch((error) => {
    console.error(error.cause?.message ?? error.message);
    process.exitCode = 1;
  });
}
