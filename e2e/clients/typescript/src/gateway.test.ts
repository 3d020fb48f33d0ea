// What the gateway's client does with routes and answers that the example's api does not
// have. Run by `node --test`, with a function in the place of `fetch`.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type CallOptions, Gateway, GatewayError, type Route, pages } from "@stravasync/client/gateway";

type Request = { method: string; path: string; body: unknown; headers: Headers };

/** A gateway that gives the answers in turn, and what it was asked. */
function gateway(...answers: (Response | Error)[]): { gateway: Gateway; asked: Request[] } {
  const asked: Request[] = [];
  const fetch = async (url: unknown, init: RequestInit = {}): Promise<Response> => {
    const body = typeof init.body === "string" ? JSON.parse(init.body) : undefined;
    const path = String(url).replace("http://api.test", "");
    asked.push({ method: init.method ?? "", path, body, headers: new Headers(init.headers) });
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer instanceof Error) {
      throw answer;
    }
    return answer?.clone() ?? Response.json({});
  };
  return { gateway: new Gateway("http://api.test/", { token: "secret", fetch }), asked };
}

const unavailable = () => Response.json({ code: 14, message: "later" }, { status: 503 });

async function address(route: Omit<Route, "verb">, request: object): Promise<Request> {
  const { gateway: called, asked } = gateway();
  await called.call({ verb: "POST", ...route }, request);
  assert.ok(asked[0]);
  return asked[0];
}

async function failure(call: Promise<unknown>): Promise<GatewayError> {
  const outcome = await call.catch((error: unknown) => error);
  assert.ok(outcome instanceof GatewayError, String(outcome));
  return outcome;
}

test("path variables are escaped and leave the rest to the query", async () => {
  const request = { id: "a/b ?", filter: { tag: ["x", "y"], size: 3 }, none: undefined };
  const { path, body } = await address({ path: "/v1/{id}:archive" }, request);
  assert.equal(path, "/v1/a%2Fb%20%3F:archive?filter.tag=x&filter.tag=y&filter.size=3");
  assert.equal(body, undefined);
});

test("variables of several segments keep their slashes", async () => {
  const request = { book: { name: "shelves/1 2/books/3", title: "T" } };
  const route = { path: "/v1/{book.name=shelves/*/books/*}", body: "book" };
  const asked = await address(route, request);
  assert.equal(asked.path, "/v1/shelves/1%202/books/3");
  assert.deepEqual(asked.body, { title: "T" });
});

test("a whole body lacks what the path has", async () => {
  const asked = await address({ path: "/v1/{id}", body: "*" }, { id: "7", name: "n" });
  assert.deepEqual([asked.path, asked.body], ["/v1/7", { name: "n" }]);
  assert.equal(asked.headers.get("content-type"), "application/json");
  assert.equal(asked.headers.get("authorization"), "Bearer secret");
});

test("what would ask for another path is refused before it is sent", async () => {
  for (const id of [undefined, "", ".", ".."]) {
    const { gateway: called, asked } = gateway();
    const error = await failure(called.call({ verb: "GET", path: "/v1/{id}/x" }, { id }));
    assert.deepEqual([error.code, asked.length], ["INVALID_ARGUMENT", 0]);
  }
});

test("answers become the message that the RPC returns", async () => {
  const route: Route = { verb: "GET", path: "/", responseBody: "book" };
  assert.deepEqual(await gateway(Response.json({ id: 1 })).gateway.call(route), { book: { id: 1 } });
  const empty = gateway(new Response(null, { status: 204 })).gateway;
  assert.deepEqual(await empty.call({ verb: "DELETE", path: "/" }), {});
  const raw = await gateway(new Response("bytes")).gateway.call<Blob>({ ...route, raw: true });
  assert.equal(await raw.text(), "bytes");
});

test("failures carry code, details and the server's wishes", async () => {
  const details = [
    { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "1.500s" },
    {
      "@type": "type.googleapis.com/google.rpc.BadRequest",
      fieldViolations: [{ field: "id", description: "is odd" }],
    },
  ];
  const headers = { "x-request-id": "r1" };
  const status = { code: 3, message: "no", details };
  const answer = Response.json(status, { status: 400, headers });
  const error = await failure(gateway(answer).gateway.call({ verb: "GET", path: "/" }));
  assert.deepEqual(
    [error.code, error.message, error.status, error.requestId, error.retryDelayMs],
    ["INVALID_ARGUMENT", "no", 400, "r1", 1500],
  );
  assert.equal(error.fieldViolations[0]?.description, "is odd");
  const proxy = new Response("<html>", { status: 502 });
  const other = await failure(gateway(proxy).gateway.call({ verb: "GET", path: "/" }));
  assert.deepEqual([other.code, other.status], ["UNAVAILABLE", 502]);
});

test("calls are repeated only where the contract says so, with one key", async () => {
  const once = gateway(unavailable(), Response.json({}));
  assert.equal((await failure(once.gateway.call({ verb: "GET", path: "/" }))).code, "UNAVAILABLE");
  assert.equal(once.asked.length, 1);

  const retry = { maxAttempts: 3, initialBackoffMs: 1, maxBackoffMs: 2, multiplier: 2 };
  const route: Route = { verb: "POST", path: "/", body: "*", retry, idempotencyField: "requestId" };
  const repeated = gateway(unavailable(), new TypeError("no route"), Response.json({ ok: true }));
  assert.deepEqual(await repeated.gateway.call(route), { ok: true });
  const keys = repeated.asked.map(({ body }) => (body as { requestId: string }).requestId);
  assert.equal(keys.length, 3);
  assert.ok(keys[0]);
  assert.equal(new Set(keys).size, 1);

  const header = "idempotency-key";
  const other = gateway(unavailable(), Response.json({}));
  await other.gateway.call({ verb: "POST", path: "/", retry, idempotencyHeader: header });
  const headers = other.asked.map((asked) => asked.headers.get(header));
  assert.ok(headers[0]);
  assert.equal(headers[0], headers[1]);
});

test("a server that fails every call is left alone after a while", async () => {
  const retry = { maxAttempts: 3, initialBackoffMs: 1, maxBackoffMs: 1, multiplier: 1 };
  const broken = gateway(unavailable());
  for (let call = 0; call < 10; call += 1) {
    await failure(broken.gateway.call({ verb: "GET", path: "/", retry }));
  }
  // Ten calls with two repeats each would be thirty.
  assert.ok(broken.asked.length < 17, String(broken.asked.length));
});

test("a deadline bounds all attempts and is told to the server", async () => {
  const options: CallOptions = { timeoutMs: 50 };
  const asked: Headers[] = [];
  const never = new Gateway("http://api.test", {
    fetch: async (_, init) => {
      init?.signal?.throwIfAborted();
      asked.push(new Headers(init?.headers));
      return new Promise((_resolve, reject) => {
        init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
      });
    },
  });
  const late = await failure(never.call({ verb: "GET", path: "/" }, {}, options));
  assert.equal(late.code, "DEADLINE_EXCEEDED");
  const told = Number(asked[0]?.get("request-timeout"));
  assert.ok(told > 0 && told <= 0.05, String(told));

  const attempts = asked.length;
  const retry = { maxAttempts: 3, initialBackoffMs: 1, maxBackoffMs: 1, multiplier: 1, attemptMs: 20 };
  const tried = await failure(never.call({ verb: "GET", path: "/", retry }, {}, { timeoutMs: 5000 }));
  assert.deepEqual([tried.code, asked.length - attempts], ["UNAVAILABLE", 3]);

  const signal = AbortSignal.abort();
  const given = await failure(never.call({ verb: "GET", path: "/" }, {}, { signal }));
  assert.equal(given.code, "CANCELLED");
});

/** A body that comes in pieces. */
function pieces(...texts: string[]): Response {
  const chunks = texts.map((text) => new TextEncoder().encode(text));
  return new Response(
    new ReadableStream({
      pull(controller) {
        const chunk = chunks.shift();
        return chunk === undefined ? controller.close() : controller.enqueue(chunk);
      },
    }),
  );
}

async function read(response: Response): Promise<[unknown[], unknown]> {
  const streaming = new Gateway("http://api.test", { fetch: async () => response });
  const items: unknown[] = [];
  try {
    for await (const item of streaming.stream({ verb: "GET", path: "/" })) {
      items.push(item);
    }
    return [items, undefined];
  } catch (error) {
    assert.ok(error instanceof GatewayError);
    return [items, error.code];
  }
}

test("streams give messages until their end, or the failure in their midst", async () => {
  const cut = ['{"result":{"n":1}}\n{"res', 'ult":{"n":2}}\n\n', '{"end":{}}\n'];
  assert.deepEqual(await read(pieces(...cut)), [[{ n: 1 }, { n: 2 }], undefined]);
  const failed = pieces('{"result":1}\n', '{"error":{"code":8,"message":"full"}}');
  assert.deepEqual(await read(failed), [[1], "RESOURCE_EXHAUSTED"]);
  assert.deepEqual(await read(pieces('{"result":1}\n')), [[1], "UNAVAILABLE"]);
});

test("pages are asked for when they are needed", async () => {
  const asked: unknown[] = [];
  type Page = { token?: string; next?: string; items?: number[] };
  const list = async (request: Page): Promise<Page> => {
    asked.push(request.token);
    return request.token === "b" ? { items: [3] } : { items: [1, 2], next: "b" };
  };
  const fields = { token: "token", next: "next", items: "items" } as const;
  const seen: unknown[] = [];
  for await (const item of pages<Page, Page, number>(list, {}, fields)) {
    seen.push([item, asked.length]);
  }
  assert.deepEqual(seen, [[1, 1], [2, 1], [3, 2]]);
});
