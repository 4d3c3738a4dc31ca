// The requests of the page, to the REST API of its own server or of the one in its address.

const query = new URLSearchParams(location.search);
/** The server in the page's address, such as http://localhost:8501; null for the page's own. */
export const OTHER_SERVER = query.get("server");
const BASE = OTHER_SERVER ? `${OTHER_SERVER.replace(/\/+$/, "")}/` : ""; // of every request's URL
const USUAL_MODELS = ["softmax", "mlp", "convnet", "diagonal", "backprop", "spaces"];
const LIST_TIMEOUT = 10_000; // milliseconds

/**
 * Return the served models: the name and versions of each, newest first, and the labels and
 * signatures of its newest version: {name: {inputs, outputs}}, each {name: {dtype, shape}}.
 */
export async function fetchModels() {
  if (!OTHER_SERVER) return fetchOwnModels();
  if (!/^https?:\/\/[^/]/.test(OTHER_SERVER)) {
    throw new Error(`The server in the page’s address is not a URL. Write it as ?server=http://localhost:8501. Received: ${OTHER_SERVER}`);
  }
  // TensorFlow Serving has no list of its models, so the page asks for each by name.
  const named = query.get("models")?.split(",").filter(Boolean);
  const names = named ?? (await fetchOwnModels().catch(() => [])).map(({ name }) => name);
  const models = await Promise.all((names.length ? names : USUAL_MODELS).map(fetchModel));
  return named ? models : models.filter(({ versions }) => versions.length);
}

/** Return the URL of a model, or of one of its versions, in the REST API. */
export function modelUrl(model, version) {
  const path = `${BASE}v1/models/${encodeURIComponent(model)}`;
  return version === undefined ? path : `${path}/versions/${version}`;
}

/**
 * Return a model's prediction for one instance, and the time of the request in milliseconds.
 *
 * @param instance The value of the input, or {name: value} of several inputs.
 * @param version The number of a version; without it, the newest.
 * @returns {prediction, milliseconds}. The prediction is {name: value} of the outputs, or the
 *   value of the only output.
 */
export async function predict(model, signature, instance, version) {
  const request = { signature_name: signature, instances: [instance] };
  const { response, milliseconds } = await send(modelUrl(model, version), request);
  return { prediction: response.predictions[0], milliseconds };
}

/**
 * Return a model's outputs for a batch in the REST API's columnar form, which also fits signatures
 * whose inputs and outputs have different numbers of rows.
 *
 * @param inputs {name: array with one row for each example}.
 * @param version The number of a version; without it, the newest.
 * @returns {outputs, milliseconds}. The outputs are {name: array}, or the array of the only output.
 */
export async function predictColumns(model, signature, inputs, version) {
  const { response, milliseconds } = await send(modelUrl(model, version), { signature_name: signature, inputs });
  return { outputs: response.outputs, milliseconds };
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

async function fetchOwnModels() {
  return (await fetchJson("page/models.json")).models;
}

/** Return a model of a server that may not have it, in which case it has no versions. */
async function fetchModel(name) {
  const options = { signal: AbortSignal.timeout(LIST_TIMEOUT) };
  const missing = { name, versions: [], labels: [], signatures: {} };
  const status = await fetchJson(modelUrl(name), options).catch((error) => {
    if (error.status !== 404) throw error;
  });
  const available = status?.model_version_status.filter(({ state }) => state === "AVAILABLE");
  if (!available?.length) return missing;
  const versions = available.map(({ version }) => version).sort((a, b) => Number(b) - Number(a));
  const { metadata } = await fetchJson(`${modelUrl(name)}/metadata`, options);
  const definitions = metadata.signature_def.signature_def;
  const signatures = mapValues(definitions, ({ inputs, outputs }) => ({
    inputs: mapValues(inputs, describeTensor),
    outputs: mapValues(outputs, describeTensor),
  }));
  return { ...missing, versions, signatures };
}

function describeTensor({ dtype, tensor_shape: { dim, unknown_rank: hasNoRank } }) {
  return { dtype, shape: hasNoRank ? null : (dim ?? []).map(({ size }) => Number(size)) };
}

function mapValues(object, map) {
  return Object.fromEntries(Object.entries(object ?? {}).map(([key, value]) => [key, map(value)]));
}

async function send(url, request) {
  const start = performance.now();
  const response = await fetchJson(`${url}:predict`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(request),
  });
  return { response, milliseconds: performance.now() - start };
}

async function fetchJson(url, options) {
  let response;
  try {
    response = await fetch(url, options);
  } catch (error) {
    // A browser does not say whether the server is off or refuses pages of other origins.
    const advice = BASE ? " Is it running with --rest_api_enable_cors_support?" : "";
    throw new Error(`${OTHER_SERVER ?? "The server"} does not answer.${advice} Received: ${error.message}`);
  }
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  let message = text;
  try {
    message = JSON.parse(text).error;
  } catch {
    // The response is not JSON: its text is the message.
  }
  throw Object.assign(new Error(message || `status ${response.status}`), { status: response.status });
}
