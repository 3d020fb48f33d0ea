// Judges documents with validators that others wrote. Three uses:
//
//   node check.mjs MODULES documents FILE...    OpenAPI and AsyncAPI documents
//   node check.mjs MODULES answers FILE         recorded HTTP answers against an OpenAPI document
//
// MODULES is the directory whose `node_modules` holds the validators. The result is a line for each
// problem, and exit code 1 when there is one. Recorded answers are JSON:
// {"openapi": PATH, "answers": [{"method", "path", "status", "contentType", "body"}]}.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, use, ...files] = process.argv.slice(2);
const require = createRequire(pathToFileURL(resolve(modules, "package.json")));
const load = async (name) => import(pathToFileURL(require.resolve(name)));

const problems = [];
const report = (file, place, message) => problems.push(`${file}: ${place}: ${message}`);
const readJson = (file) => JSON.parse(readFileSync(file, "utf8"));

// Redocly's rules that judge correctness; those of taste (a license, a contact, servers that are not
// relative) do not fit documents that a generator makes for any contract.
const RULES = Object.fromEntries(
  [
    "struct",
    "no-unresolved-refs",
    "no-identical-paths",
    "no-ambiguous-paths",
    "path-declaration-must-exist",
    "path-not-include-query",
    "path-params-defined",
    "operation-operationId",
    "operation-operationId-unique",
    "operation-operationId-url-safe",
    "operation-parameters-unique",
    "operation-summary",
    "operation-tag-defined",
    "operation-2xx-response",
    "operation-4xx-response",
    "security-defined",
    "no-duplicated-tag-names",
    "no-duplicated-enum-values",
    "no-enum-type-mismatch",
    "no-invalid-media-type-examples",
    "no-invalid-parameter-examples",
    "no-invalid-schema-examples",
    "no-example-value-and-externalValue",
    "no-mixed-number-range-constraints",
    "no-schema-type-mismatch",
    "no-unsafe-markdown",
    "no-unused-components",
    "no-empty-servers",
    "spec-components-invalid-map-name",
    "array-parameter-serialization",
  ].map((name) => [name, "error"]),
);

async function checkDocuments() {
  const redocly = await load("@redocly/openapi-core");
  // Who may connect to NATS is no contract's business.
  const config = await redocly.createConfig({ rules: RULES, async3Rules: { "security-defined": "off" } });
  for (const file of files) {
    const document = readJson(file);
    for (const problem of await redocly.lint({ ref: resolve(file), config })) {
      report(file, problem.location[0]?.pointer ?? "#", `${problem.message} (${problem.ruleId})`);
    }
    if (document.openapi) await checkOpenApi(file);
    else if (document.asyncapi) await checkAsyncApi(file, document);
    else report(file, "#", "neither OpenAPI nor AsyncAPI");
  }
}

// The OpenAPI Initiative's own JSON Schema.
async function checkOpenApi(file) {
  const { Validator } = await load("@seriousme/openapi-schema-validator");
  const result = await new Validator().validate(resolve(file));
  if (result.valid) return;
  const errors = Array.isArray(result.errors) ? result.errors : [{ message: result.errors }];
  for (const error of errors) report(file, error.instancePath ?? "#", `${error.message} (OpenAPI schema)`);
}

// The AsyncAPI Initiative's own JSON Schema, and the payloads' examples.
async function checkAsyncApi(file, document) {
  const { default: Ajv } = await load("ajv");
  const { default: addFormats } = await load("ajv-formats");
  const specs = require("@asyncapi/specs");
  const judge = new Ajv({ allErrors: true, strict: false, validateFormats: false });
  const validate = judge.compile(specs.schemasWithoutId[document.asyncapi]);
  if (!validate(document)) {
    for (const error of validate.errors) report(file, error.instancePath, `${error.message} (AsyncAPI schema)`);
  }
  const ajv = new Ajv({ strict: false, allErrors: true });
  (addFormats.default ?? addFormats)(ajv);
  allowProtobufFormats(ajv);
  ajv.addSchema({ $id: "document", ...document });
  for (const [name, message] of Object.entries(document.components?.messages ?? {})) {
    for (const [index, example] of (message.examples ?? []).entries()) {
      for (const part of ["payload", "headers"]) {
        if (example[part] === undefined) continue;
        const check = ajv.compile({ $ref: `document#/components/messages/${escapePointer(name)}/${part}` });
        if (check(example[part])) continue;
        for (const error of check.errors) {
          report(file, `${name} example ${index} ${part}${error.instancePath}`, error.message);
        }
      }
    }
  }
}

// A name as a part of a JSON pointer in the fragment of an address (RFC 6901, sections 3 and 6).
const escapePointer = (text) => encodeURIComponent(text.replaceAll("~", "~0").replaceAll("/", "~1"));

// Formats that annotate rather than restrict.
function allowProtobufFormats(ajv) {
  for (const name of ["int32", "int64", "uint32", "uint64", "float", "double"]) ajv.addFormat(name, true);
}

async function checkAnswers() {
  const { default: Ajv } = await load("ajv/dist/2020.js");
  const { default: addFormats } = await load("ajv-formats");
  const { openapi, answers } = readJson(files[0]);
  const document = readJson(openapi);
  const ajv = new Ajv({ strict: false, allErrors: true });
  (addFormats.default ?? addFormats)(ajv);
  allowProtobufFormats(ajv);
  ajv.addSchema({ $id: "document", ...closed(document) });
  for (const answer of answers) {
    const place = `${answer.method} ${answer.path} ${answer.status}`;
    const { wrong, pointer } = schemaOf(document, answer);
    if (wrong) report(openapi, place, wrong);
    if (!pointer) continue;
    const check = ajv.compile({ $ref: `document#${pointer}` });
    if (check(answer.body)) continue;
    for (const error of check.errors) {
      report(openapi, `${place}: body${error.instancePath}`, `${error.message} ${JSON.stringify(error.params)}`);
    }
  }
}

// A field that the schema does not know is a mistake in an answer, though not in a later one.
function closed(value) {
  if (Array.isArray(value)) return value.map(closed);
  if (value === null || typeof value !== "object") return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, closed(inner)]));
  const isMessage = copy.type === "object" && copy.properties && copy.additionalProperties === undefined;
  return isMessage ? { ...copy, additionalProperties: false } : copy;
}

// The pointer to the schema of an answer, nothing where it has no body, or what is wrong.
function schemaOf(document, answer) {
  const found = Object.entries(document.paths)
    .filter(([path]) => pathPattern(path).test(answer.path))
    .sort(([a], [b]) => a.split("{").length - b.split("{").length)[0];
  if (!found) return { wrong: "no such path" };
  const operation = found[1][answer.method.toLowerCase()];
  if (!operation) return { wrong: "no such operation" };
  let pointer = `/paths/${escapePointer(found[0])}/${answer.method.toLowerCase()}/responses/${answer.status}`;
  let response = operation.responses[answer.status];
  if (!response) return { wrong: "the status is not documented" };
  if (response.$ref) {
    pointer = response.$ref.slice(1);
    response = document.components.responses[pointer.split("/").at(-1)];
  }
  if (!response.content) return answer.body === undefined ? {} : { wrong: "a body where none is documented" };
  const media = answer.contentType.split(";")[0].trim();
  if (!response.content[media]) return { wrong: `media type ${media} is not documented` };
  return { pointer: `${pointer}/content/${escapePointer(media)}/schema` };
}

function pathPattern(path) {
  const parts = path.split(/\{[^}]*\}/).map((part) => part.replace(/[.*+?^$()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^/]+")}$`);
}

if (use === "documents") await checkDocuments();
else if (use === "answers") await checkAnswers();
else throw new Error(`no such use: ${use}`);

for (const problem of problems) console.error(problem);
console.log(`${use}: ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
