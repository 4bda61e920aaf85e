import type { Caller } from '../access/caller.js';
import type { Facts } from './command.js';
import type { ProviderSystem } from './booking/provider-system.js';
import type { Demographics } from './demographics/demographics.js';
import type { PostcodeEntries } from './directory/postcodes.js';

/** What a command is given beside the resource: all that is not pure comes through here. */
export type Situation = {
  readonly facts: Facts;
  readonly caller: Caller;
  /** FHIR base without a trailing slash */
  readonly baseUrl: string;
  /** ISO 8601, UTC */
  readonly now: string;
  readonly newId: () => string;
  /** 12 digits */
  readonly newUbrn: () => string;
  readonly demographics: Demographics;
  readonly providerSystem: ProviderSystem;
  readonly postcodes: PostcodeEntries;
  /** whether a code may be a concept of SNOMED CT, as far as this can be told here and now */
  readonly knowsTerm: (code: string) => Promise<boolean>;
};
