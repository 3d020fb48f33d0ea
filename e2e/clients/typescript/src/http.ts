// Walks through the api with the generated TypeScript client over the JSON gateway,
// which takes nothing but `fetch`: the same in Node and in a browser.
//
//   API_HTTP=http://127.0.0.1:8080 API_TOKEN=... node dist/http.js

import { Gateway, GatewayError } from "@stravasync/client/gateway";
import { AthletesServiceHttp } from "@stravasync/client/stravasync/athletes/v1/http";

const url = process.env.API_HTTP ?? "http://127.0.0.1:8080";
const visitor = new AthletesServiceHttp(new Gateway(url));
const operator = new AthletesServiceHttp(
  new Gateway(url, { token: () => process.env.API_TOKEN }),
);

const registered: string[] = [];
for (let number = 0; number < 5; number += 1) {
  const { athlete } = await visitor.registerAthlete({
    displayName: `JSON ${number}`,
    email: `json-${number}@example.org`,
  });
  registered.push(athlete?.athleteId ?? "");
}

const found = await operator.getAthlete({ athleteId: registered[0] ?? "" });

// Two a page, as many pages as it takes.
const listed: string[] = [];
for await (const athlete of operator.listAthletesAll({ pageSize: 2 })) {
  listed.push(athlete.athleteId ?? "");
}

const taken = await failure(
  visitor.registerAthlete({ displayName: "again", email: "json-0@example.org" }),
);
const invalid = await failure(operator.getAthlete({ athleteId: "nobody" }));
const anonymous = await failure(visitor.listAthletes());

// The api would take longer than we are willing to wait.
const start = performance.now();
const late = await failure(
  visitor.registerAthlete(
    { displayName: "Slow", email: "json-slow@example.org" },
    { timeoutMs: 500 },
  ),
);
const waitedMs = Math.round(performance.now() - start);

console.log(
  JSON.stringify({
    registered,
    found: found.athlete?.displayName,
    listed,
    taken: taken.code,
    invalid: invalid.code,
    violations: invalid.fieldViolations.map((violation) => violation.field),
    anonymous: anonymous.code,
    late: late.code,
    waitedMs,
  }),
);

/** Waits for a call that must fail. */
async function failure(call: Promise<unknown>): Promise<GatewayError> {
  const outcome = await call.catch((error: unknown) => error);
  if (!(outcome instanceof GatewayError)) {
    throw new Error(`the call should have failed: ${JSON.stringify(outcome)}`);
  }
  return outcome;
}
