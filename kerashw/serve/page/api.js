// The requests of the page. Predictions go to TensorFlow Serving's REST API.

/**
 * Return the served models: the name and versions of each, and the labels and signatures of its
 * newest version.
 */
export async function fetchModels() {
  return (await readJson(await fetch("page/models.json"))).models;
}

/** Return a model's prediction for one instance, and the time of the request in milliseconds. */
export async function predict(model, signature, instance) {
  const start = performance.now();
  const { predictions } = await readJson(
    await fetch(`v1/models/${encodeURIComponent(model)}:predict`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ signature_name: signature, instances: [instance] }),
    }),
  );
  return { prediction: predictions[0], milliseconds: performance.now() - start };
}

/**
 * Return a function that calls `run` with its value, one value at a time. While `run` is running,
 * only the newest value waits, and older ones are dropped. The promise of the first call resolves
 * when no value is left; that of a call while `run` is running resolves at once.
 */
export function latestOnly(run) {
  let running = false;
  let waiting = [];
  return async (value) => {
    waiting = [value];
    if (running) return;
    running = true;
    try {
      while (waiting.length) await run(waiting.pop());
    } finally {
      running = false;
    }
  };
}

async function readJson(response) {
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  let message = text;
  try {
    message = JSON.parse(text).error;
  } catch {
    // The response is not JSON: its text is the message.
  }
  throw new Error(message || `status ${response.status}`);
}
