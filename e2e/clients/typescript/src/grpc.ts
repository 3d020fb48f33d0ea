// Walks through the api with the generated TypeScript client over gRPC: registers
// athletes, finds them again, and shows what failures look like.
//
//   API_GRPC=127.0.0.1:9233 API_TOKEN=... node dist/grpc.js

import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { BadRequestSchema } from "@stravasync/client/google/rpc";
import { AthletesService } from "@stravasync/client/stravasync/athletes/v1";
import { listAthletesAll } from "@stravasync/client/stravasync/athletes/v1/pages";

const transport = createGrpcTransport({ baseUrl: `http://${process.env.API_GRPC}` });
const athletes = createClient(AthletesService, transport);
// An interceptor could set this header on every call.
const operator = { headers: { authorization: `Bearer ${process.env.API_TOKEN}` } };

const registered: string[] = [];
for (let number = 0; number < 5; number += 1) {
  const { athlete } = await athletes.registerAthlete({
    displayName: `TypeScript ${number}`,
    email: `typescript-${number}@example.org`,
  });
  registered.push(athlete?.athleteId ?? "");
}

const found = await athletes.getAthlete({ athleteId: registered[0] ?? "" }, operator);

// Two a page, as many pages as it takes.
const listed: string[] = [];
for await (const athlete of listAthletesAll(athletes, { pageSize: 2 }, operator)) {
  listed.push(athlete.athleteId);
}

const taken = await failure(
  athletes.registerAthlete({ displayName: "again", email: "typescript-0@example.org" }),
);
const invalid = await failure(athletes.getAthlete({ athleteId: "nobody" }, operator));
const violations = invalid
  .findDetails(BadRequestSchema)
  .flatMap((detail) => detail.fieldViolations)
  .map((violation) => violation.field);
const anonymous = await failure(athletes.listAthletes({}));

// The api would take longer than we are willing to wait.
const start = performance.now();
const late = await failure(
  athletes.registerAthlete(
    { displayName: "Slow", email: "typescript-slow@example.org" },
    { timeoutMs: 500 },
  ),
);
const waitedMs = Math.round(performance.now() - start);

console.log(
  JSON.stringify({
    registered,
    found: found.athlete?.displayName,
    listed,
    taken: name(taken),
    invalid: name(invalid),
    violations,
    anonymous: name(anonymous),
    late: name(late),
    waitedMs,
  }),
);

/** Waits for a call that must fail. */
async function failure(call: Promise<unknown>): Promise<ConnectError> {
  const outcome = await call.catch((error: unknown) => error);
  if (!(outcome instanceof ConnectError)) {
    throw new Error(`the call should have failed: ${JSON.stringify(outcome)}`);
  }
  return outcome;
}

/** The name of a failure's code as the other languages write it. */
function name(error: ConnectError): string {
  return (Code[error.code] ?? "").replace(/(?<=.)([A-Z])/g, "_$1").toUpperCase();
}
