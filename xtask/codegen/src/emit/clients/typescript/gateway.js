/** The names of the codes of `google.rpc.Code`, by number. */
const CODES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];

/** What an answer means that holds no status (gRPC, "HTTP to gRPC Status Code Mapping"). */
const CODES_OF_HTTP = {
  400: "INTERNAL",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "UNIMPLEMENTED",
  429: "UNAVAILABLE",
  502: "UNAVAILABLE",
  503: "UNAVAILABLE",
  504: "UNAVAILABLE",
};

/** Tokens of the retry budget; repeats stop while half of them or more are gone. */
const BUDGET = 10;

/** What a call that succeeds gives back to the budget. */
const REFUND = 0.1;

export class GatewayError extends Error {
  constructor(code, message, { details = [], status, requestId, cause } = {}) {
    super(message, { cause });
    this.name = "GatewayError";
    this.code = code;
    this.details = details;
    this.status = status;
    this.requestId = requestId;
  }

  detail(type) {
    return this.details.find((detail) => detail["@type"]?.split("/").pop() === type);
  }

  get fieldViolations() {
    return this.detail("google.rpc.BadRequest")?.fieldViolations ?? [];
  }

  get retryDelayMs() {
    const delay = this.detail("google.rpc.RetryInfo")?.retryDelay;
    return delay === undefined ? undefined : Number.parseFloat(delay) * 1000;
  }
}

export class Gateway {
  #base;
  #options;
  #budget = BUDGET;

  constructor(baseUrl, options = {}) {
    this.#base = String(baseUrl).replace(/\/+$/, "");
    this.#options = options;
  }

  async call(route, request = {}, options = {}) {
    const call = this.#prepare(route, request, options, options.timeoutMs ?? route.timeoutMs);
    try {
      for (let attempt = 1; ; attempt += 1) {
        try {
          const response = await this.#send(call, "application/json");
          const answer = await read(route, response);
          this.#budget = Math.min(BUDGET, this.#budget + REFUND);
          return answer;
        } catch (cause) {
          const error = call.explain(cause);
          const wait = this.#wait(route.retry, attempt, error);
          if (wait === undefined || wait >= call.left()) {
            throw error;
          }
          await sleep(wait, call.signal);
        }
      }
    } catch (cause) {
      throw call.explain(cause);
    } finally {
      call.close();
    }
  }

  async *stream(route, request = {}, options = {}) {
    const call = this.#prepare(route, request, options, options.timeoutMs);
    try {
      const response = await this.#send(call, "application/x-ndjson");
      for await (const text of split(response.body)) {
        const line = JSON.parse(text);
        if (line.error !== undefined) {
          throw failure(line.error, response);
        }
        if (line.end !== undefined) {
          return;
        }
        yield line.result;
      }
      throw new GatewayError("UNAVAILABLE", "the stream has broken off");
    } catch (cause) {
      throw call.explain(cause);
    } finally {
      call.close();
    }
  }

  /** Everything about a call that its attempts share. */
  #prepare(route, request, { signal, headers }, timeoutMs) {
    const field = route.idempotencyField;
    const keyless = field !== undefined && !request[field];
    const keyed = keyless ? { ...request, [field]: crypto.randomUUID() } : request;
    const { path, body } = address(route, keyed);
    const own = new Headers(headers);
    if (route.idempotencyHeader !== undefined && !own.has(route.idempotencyHeader)) {
      own.set(route.idempotencyHeader, crypto.randomUUID());
    }
    const start = performance.now();
    const controller = new AbortController();
    let late = false;
    const expire = () => {
      late = true;
      controller.abort();
    };
    const timer = timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs);
    const giveUp = () => controller.abort();
    if (signal?.aborted) {
      giveUp();
    }
    signal?.addEventListener("abort", giveUp, { once: true });
    return {
      route,
      path,
      body,
      headers: own,
      signal: controller.signal,
      /** Milliseconds until the deadline. */
      left: () => (timeoutMs === undefined ? Infinity : timeoutMs - (performance.now() - start)),
      explain: (cause) => explain(cause, signal?.aborted ?? false, late),
      close: () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", giveUp);
      },
    };
  }

  /** Sends one attempt; resolves when the answer is a success. */
  async #send(call, accept) {
    const { token, fetch = globalThis.fetch } = this.#options;
    const headers = new Headers(this.#options.headers);
    call.headers.forEach((value, name) => headers.set(name, value));
    headers.set("accept", accept);
    const attemptMs = call.route.retry?.attemptMs ?? Infinity;
    const left = Math.min(call.left(), attemptMs);
    if (left !== Infinity) {
      // Tells the server when nobody will be waiting any more.
      headers.set("request-timeout", Math.max(left / 1000, 0.001).toFixed(3));
    }
    const proof = typeof token === "function" ? await token() : token;
    if (proof !== undefined) {
      headers.set("authorization", `Bearer ${proof}`);
    }
    if (call.body !== undefined) {
      headers.set("content-type", "application/json");
    }
    const response = await fetch(this.#base + call.path, {
      method: call.route.verb,
      headers,
      body: call.body,
      signal:
        attemptMs === Infinity
          ? call.signal
          : AbortSignal.any([call.signal, AbortSignal.timeout(attemptMs)]),
    });
    if (!response.ok) {
      throw failure(await response.json().catch(() => undefined), response);
    }
    return response;
  }

  /** Milliseconds until the next attempt; nothing when there is to be none. */
  #wait(retry, attempt, error) {
    if (error.code !== "UNAVAILABLE") {
      return undefined;
    }
    this.#budget = Math.max(0, this.#budget - 1);
    if (retry === undefined || attempt >= retry.maxAttempts || this.#budget <= BUDGET / 2) {
      return undefined;
    }
    const limit = retry.initialBackoffMs * retry.multiplier ** (attempt - 1);
    const random = Math.random() * Math.min(limit, retry.maxBackoffMs);
    return Math.max(random, error.retryDelayMs ?? 0);
  }
}

export async function* pages(list, request, { token, next, items }) {
  let at = request[token];
  do {
    const response = await list({ ...request, [token]: at });
    yield* response[items] ?? [];
    at = response[next];
  } while (at);
}

/** The response as the message that the RPC returns. */
async function read(route, response) {
  if (route.raw) {
    return response.blob();
  }
  const text = await response.text();
  const message = text === "" ? {} : JSON.parse(text);
  return route.responseBody === undefined ? message : { [route.responseBody]: message };
}

/** The failure that an answer tells of. */
function failure(status, response) {
  const known = CODES[status?.code];
  const code = known ?? CODES_OF_HTTP[response.status] ?? "UNKNOWN";
  const message = status?.message ?? `the gateway answered ${response.status}`;
  const requestId = response.headers.get("x-request-id") ?? undefined;
  const details = status?.details ?? [];
  return new GatewayError(code, message, { details, status: response.status, requestId });
}

/** Why there is no answer. */
function explain(cause, given, late) {
  if (cause instanceof GatewayError) {
    return cause;
  }
  if (given) {
    return new GatewayError("CANCELLED", "the caller has given up", { cause });
  }
  if (late) {
    return new GatewayError("DEADLINE_EXCEEDED", "there was no answer in time", { cause });
  }
  if (cause?.name === "TimeoutError") {
    return new GatewayError("UNAVAILABLE", "an attempt was not answered in time", { cause });
  }
  if (cause instanceof SyntaxError) {
    return new GatewayError("INTERNAL", "the answer is no JSON", { cause });
  }
  return new GatewayError("UNAVAILABLE", "the gateway cannot be reached", { cause });
}

/** Path with query, and body, of a request. */
function address(route, request) {
  let rest = request;
  const path = route.path.replace(/\{([^}=]+)(?:=([^}]+))?\}/g, (_, name, pattern) => {
    const [value, others] = take(rest, name.split("."));
    rest = others;
    return fill(name, value, pattern ?? "*");
  });
  if (route.body === "*") {
    return { path, body: JSON.stringify(rest) };
  }
  let body;
  if (route.body !== undefined) {
    const [value, others] = take(rest, [route.body]);
    rest = others;
    body = value === undefined ? undefined : JSON.stringify(value);
  }
  const query = new URLSearchParams();
  append(query, "", rest);
  const text = query.toString();
  return { path: text === "" ? path : `${path}?${text}`, body };
}

/** The value at a path of names, and the message without it. */
function take(message, [name, ...names]) {
  const { [name]: value, ...others } = message ?? {};
  if (names.length === 0) {
    return [value, others];
  }
  const [inner, left] = take(value, names);
  return [inner, { ...others, [name]: left }];
}

/** A variable's value as segments of a path. */
function fill(name, value, pattern) {
  const text = value === undefined || value === null ? "" : String(value);
  const segments = pattern === "*" ? [text] : text.split("/");
  // A browser would resolve dots, and ask for another path than meant.
  if (segments.some((segment) => segment === "." || segment === "..")) {
    throw new GatewayError("INVALID_ARGUMENT", `${name}: "${text}" cannot stand in a path`);
  }
  if (text === "" && pattern !== "**") {
    throw new GatewayError("INVALID_ARGUMENT", `${name}: is needed for the path, and is empty`);
  }
  return segments.map(encodeURIComponent).join("/");
}

/** Adds what a value says to a query: nested fields by dots, repeated ones each. */
function append(query, name, value) {
  if (value === undefined || value === null) {
    return;
  }
  if (Array.isArray(value)) {
    value.forEach((item) => append(query, name, item));
  } else if (typeof value === "object") {
    const prefix = name === "" ? "" : `${name}.`;
    Object.entries(value).forEach(([key, item]) => append(query, prefix + key, item));
  } else {
    query.append(name, String(value));
  }
}

/** The lines of a body, as they come in. */
async function* split(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        break;
      }
      const lines = (text + value).split("\n");
      text = lines.pop();
      yield* lines.filter((line) => line.trim() !== "");
    }
    if (text.trim() !== "") {
      yield text;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Waits, unless the signal comes first. */
function sleep(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const given = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", given);
      resolve();
    }, milliseconds);
    signal.addEventListener("abort", given, { once: true });
  });
}
