// Holds Graph's answers to Microsoft's own published types, turned into a JSON Schema.
// usage: node graph_types.mjs CACHE-FOLDER answers.json
// answers.json is a list of {type, body, of}; prints a list of objections, one sentence each.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

const [cache, answers] = process.argv.slice(2);
// The packages lie in the cache folder, not beside this file.
const require = createRequire(path.resolve(cache, 'package.json'));
const { createGenerator } = require('ts-json-schema-generator');
const Ajv = require('ajv');

const TYPES = {
  event: 'Event',
  calendar: 'Calendar',
  user: 'User',
  scheduleInformation: 'ScheduleInformation',
  convertIdResult: 'ConvertIdResult',
  publicError: 'PublicError',
};

const entry = path.join(cache, 'graph-answers.ts');
fs.writeFileSync(
  entry,
  `import type { ${Object.values(TYPES).join(', ')} } from "@microsoft/microsoft-graph-types";\n` +
    `export interface Answers { ${Object.entries(TYPES).map(([name, type]) => `${name}: ${type};`).join(' ')} }\n`,
);
// Without type checking: whether Microsoft's file compiles is not the question. Unknown names are objected to.
const schema = createGenerator({ path: entry, type: 'Answers', skipTypeCheck: true, additionalProperties: false })
  .createSchema('Answers');
const ajv = new Ajv({ allErrors: true, strict: false });
ajv.addSchema(schema, 'graph');
const judges = Object.fromEntries(
  Object.entries(TYPES).map(([name, type]) => [name, ajv.compile({ $ref: `graph#/definitions/${type}` })]),
);

const objections = [];
for (const { type, body, of } of JSON.parse(fs.readFileSync(answers, 'utf8'))) {
  const judge = judges[type];
  if (!judge(withoutAnnotations(body))) {
    for (const { instancePath, message, params } of judge.errors.slice(0, 3)) {
      objections.push(`${of}: ${type}${instancePath} ${message} ${JSON.stringify(params)}`);
    }
  }
}
console.log(JSON.stringify(objections));

// OData's annotations are no part of the types.
function withoutAnnotations(value) {
  if (Array.isArray(value)) return value.map(withoutAnnotations);
  if (value === null || typeof value !== 'object') return value;
  const kept = Object.entries(value).filter(([name]) => !name.includes('@'));
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutAnnotations(inner)]));
}
