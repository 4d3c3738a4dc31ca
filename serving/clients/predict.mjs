// Ask a server for a model's prediction of an image, with fetch: in Node 18 or newer,
//     node predict.mjs URL MODEL FILE
// where FILE is a PNG or JPEG image, or JSON: 28 rows of 28 pixels of 0 to 255;
// and in a page (the server needs --rest_api_enable_cors_support for pages of other origins):
//     import { base64, predict } from "./predict.mjs";
//     const image = { b64: base64(await file.arrayBuffer()) }; // of an <input type="file">
//     const outputs = await predict(url, "convnet", "image_bytes", { image_bytes: [image] });

/** Resolves to a model's outputs by name; rejects with the server's text. */
export async function predict(url, model, signature, inputs) {
  const answer = await fetch(`${url}/v1/models/${model}:predict`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ signature_name: signature, inputs }),
    signal: AbortSignal.timeout(30_000),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()).outputs;
}

/** Returns the base64 of an ArrayBuffer. */
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

// Only as a command; a page and other modules import what they need.
if (globalThis.process?.argv[1]?.endsWith("predict.mjs")) {
  main(...process.argv.slice(2)).catch((error) => {
    console.error(error.cause?.message ?? error.message);
    process.exitCode = 1;
  });
}
