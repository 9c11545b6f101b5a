// Turns Google's discovery document into the OpenAPI document that Prism holds the sandbox to.
// usage: node discovery.mjs calendar.v3.json calendar.swagger.json
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

// The converter lies in the cache folder, beside its output, not beside this file.
const [input, output] = process.argv.slice(2);
const require = createRequire(path.resolve(output));
const swagger = require('google-discovery-to-swagger').convert(JSON.parse(fs.readFileSync(input, 'utf8')));

swagger.host = '127.0.0.1';
swagger.basePath = '/calendar/v3';
swagger.consumes = ['application/json'];
swagger.produces = ['application/json'];
// Prism would ask for Google's own tokens; the sandbox judges those itself.
delete swagger.security;
delete swagger.securityDefinitions;

// In a patch, null takes an extended property away (Google's guide to them); the document has no word for it.
for (const kind of ['private', 'shared']) {
  swagger.definitions.Event.properties.extendedProperties.properties[kind].additionalProperties['x-nullable'] = true;
}

// The discovery document knows successes only. A refusal is held to the shape of Google's error guide.
swagger.definitions.Refusal = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['errors', 'code', 'message'],
      properties: {
        code: { type: 'integer', minimum: 400 },
        message: { type: 'string' },
        errors: {
          type: 'array',
          minItems: 1,
          items: {
            type: 'object',
            required: ['domain', 'reason', 'message'],
            properties: {
              domain: { type: 'string', enum: ['global', 'calendar', 'usageLimits'] },
              reason: { type: 'string', minLength: 1 },
              message: { type: 'string' },
              locationType: { type: 'string', enum: ['parameter', 'header'] },
              location: { type: 'string' },
            },
          },
        },
      },
    },
  },
};
for (const item of Object.values(swagger.paths)) {
  for (const [method, operation] of Object.entries(item)) {
    if (!operation?.responses) continue;
    delete operation.security;
    operation.responses.default = { description: 'Refused', schema: { $ref: '#/definitions/Refusal' } };
    if (method === 'delete') operation.responses['204'] = { description: 'Deleted' };
  }
}
fs.writeFileSync(output, JSON.stringify(swagger));
console.log(`${Object.keys(swagger.paths).length} paths`);
