// The models, as this page asks them: over TensorFlow Serving's REST API.

/** The served models: name, versions, and the labels and signatures of the newest version. */
export async function served() {
  return (await answered(await fetch("page/models.json"))).models;
}

/** Ask a model about one instance; return its prediction, and how many milliseconds that took. */
export async function predict(model, signature, instance) {
  const start = performance.now();
  const answer = await answered(
    await fetch(`v1/models/${encodeURIComponent(model)}:predict`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ signature_name: signature, instances: [instance] }),
    }),
  );
  return { prediction: answer.predictions[0], milliseconds: performance.now() - start };
}

/**
 * Return a function that runs `run` with the value it is given, one value at a time. While it runs
 * only the newest value waits; older ones are skipped.
 */
export function latest(run) {
  let busy = false;
  let waiting = [];
  return async (value) => {
    waiting = [value];
    if (busy) return;
    busy = true;
    try {
      while (waiting.length) await run(waiting.pop());
    } finally {
      busy = false;
    }
  };
}

async function answered(response) {
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  let reason = text;
  try {
    reason = JSON.parse(text).error;
  } catch {
    // An answer that is no JSON is its own reason.
  }
  throw new Error(reason || `status ${response.status}`);
}
