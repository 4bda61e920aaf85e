import type { Readable } from 'node:stream';
import type { Caller } from '../access/caller.js';
import type { Blobs } from '../blobs/port.js';
import type { Definitions } from '../validation/definitions.js';
import type { ProviderSystem } from '../domain/booking/provider-system.js';
import type { Scanner } from '../domain/documents/availability.js';
import type { Demographics } from '../domain/demographics/demographics.js';
import type { Terminology } from '../validation/terminology/terminology.js';
import type { TerminologyServer } from '../validation/terminology/port.js';
import type { ServiceDirectory } from './service-directory.js';
import type { Validator } from '../validation/validator.js';
import type { Around } from '../fhir/kept-text.js';
import type { Key } from '../fhir/resource.js';
import type { Preference } from '../fhir/prefer.js';
import type { Shapes } from '../fhir/shapes.js';
import type { CustomParameters } from '../custom-parameters/custom-parameters.js';
import type { SearchIndex } from '../search-index/search-index.js';
import type { SearchParameters } from '../fhir/search/parameters.js';
import type { Extractor } from '../fhir/search/extract.js';
import type { QueryParser } from '../fhir/search/parse.js';
import type { NudgeableJobs } from '../jobs/nudgeable.js';
import type { Registry } from '../resources/registry.js';
import type { Shown } from '../audit/whose.js';
import type { Witness } from '../audit/witness.js';
import type { Claim, Store } from '../store/port.js';

/** Everything an interaction or operation may use; built once by the composition root. */
export type House = {
  readonly store: Store;
  /** whether searches of a type may be answered by a copy of the store that is some seconds behind */
  readonly mayLag: (type: string) => boolean;
  /** sees to the audit of every access */
  readonly witness: Witness;
  readonly blobs: Blobs;
  readonly registry: Registry;
  readonly definitions: Definitions;
  /** the elements of every R4 type */
  readonly shapes: Shapes;
  readonly validate: Validator['validate'];
  /** the codes of a resource that nothing here can judge */
  readonly questions: Validator['questions'];
  readonly terminology: Terminology;
  /** asked about such codes when the configuration names one */
  readonly terminologyServer?: TerminologyServer;
  readonly searchParameters: SearchParameters;
  /** those that administrators add, which every process soon knows */
  readonly customParameters: CustomParameters;
  /** how the stored resources are indexed, and are to be */
  readonly searchIndex: SearchIndex;
  readonly extract: Extractor;
  readonly parseQuery: QueryParser;
  /** epoch ms */
  readonly clock: () => number;
  readonly newId: () => string;
  /** 12 random digits */
  readonly newUbrn: () => string;
  /** FHIR base without a trailing slash */
  readonly baseUrl: string;
  readonly demographics: Demographics;
  readonly providerSystem: ProviderSystem;
  /** looks through new documents when the configuration names one */
  readonly scanner?: Scanner;
  /** the services as A010 searches them */
  readonly directory: ServiceDirectory;
  /** the text of the CapabilityStatement, or of what `mode` asks for (R4 http.html#capabilities); throws for a mode that R4 does not have */
  readonly capability: (mode: string | undefined) => string;
  readonly timeZone: string;
  readonly maxEntries: number;
  /** bytes of one document */
  readonly maxBinary: number;
  readonly jobs: NudgeableJobs;
  /** false lets references point at nothing (REFERENTIAL_INTEGRITY=off) */
  readonly integrity: boolean;
  /** `of`: what decides the rows that the position is one of */
  readonly signCursor: (position: string, of: string) => string;
  /** throws Failure for a cursor that this server did not make, or made for something else */
  readonly openCursor: (cursor: string, of: string) => string;
};

/** Which request it is, for the audit and for writes that are sent again. */
export type About = {
  readonly requestId: string;
  readonly correlationId?: string | undefined;
  /** goes into the write's own Unit, with `/` and the part behind its key */
  readonly once?: Claim;
  /** place of an entry in its batch */
  readonly part?: number;
};

/** One request, or one entry of a Bundle: who asks, and the headers that R4 http.html gives a meaning to. */
export type Call = {
  readonly caller: Caller;
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
  readonly ifModifiedSince?: string | undefined;
  readonly ifNoneExist?: string | undefined;
  readonly lenient: boolean;
  /** ODS code of the organisation whose commissioning rules apply (e-RS A015) */
  readonly commissioner?: string | undefined;
  readonly about?: About;
  /** what a write's answer holds; absent: the resource */
  readonly returns?: Preference['return'];
};

/** A success. `body` is the wire text of a resource, or bytes when `contentType` says that it is something else. */
export type Success = {
  readonly status: 200 | 201 | 202 | 204 | 304 | 307;
  readonly body?: string | Uint8Array | Readable | undefined;
  /** the same text, where most of it is shown again by other answers */
  readonly around?: Around | undefined;
  /** without one the body is FHIR JSON */
  readonly contentType?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly key?: Key;
  /** true for the answer of a write, which `Prefer: return` shapes */
  readonly wrote?: boolean;
  /**
   * the records that the answer shows, or is made of, for the audit: it names them and whose they are. Absent: the one of the path; of a
   * write, beside what it wrote
   */
  readonly seen?: readonly Shown[];
};
