import { readFile } from 'node:fs/promises';
import Joi from 'joi';
import { checkKeysUrl } from './remote-keys.js';
import { idTokenAlgorithms, type IdentityIssuer } from './subjects.js';

const jwksUrl = (value: string): string => {
  checkKeysUrl(value, false);
  return value;
};

const schema = Joi.array().items(
  Joi.object({
    issuer: Joi.string().uri().required(),
    kind: Joi.string().valid('cis2', 'nhs-login').required(),
    algorithms: Joi.array()
      .items(Joi.string().valid(...idTokenAlgorithms))
      .min(1)
      .required(),
    jwks: Joi.object({ keys: Joi.array().items(Joi.object().unknown(true)).required() }),
    jwksUrl: Joi.string().custom(jwksUrl, 'a JWKS URL'),
    audiences: Joi.object().pattern(Joi.string(), Joi.array().items(Joi.string())),
  }).xor('jwks', 'jwksUrl'),
);

/** Reads the identity providers that are trusted (IDENTITY_ISSUERS). Throws an Error that names what is wrong. */
export const readIssuers = async (file: string): Promise<readonly IdentityIssuer[]> => {
  const read: unknown = JSON.parse(await readFile(file, 'utf8'));
  const { value, error } = schema.validate(read, { abortEarly: false }) as { value: unknown; error?: Joi.ValidationError };
  if (error) throw new Error(`${file}: ${error.message}`);
  return value as readonly IdentityIssuer[];
};
