import { parseJson } from './json.js';
import { LastMade } from './last-made.js';
import { referenceTo, type Resource } from './resource.js';

type Text = { readonly type: string; readonly id: string; readonly body: string };
type Parsed = { readonly body: string; readonly resource: Resource };

/** Records that change seldom and that every command reads: code systems, and the directory. */
const directory = new LastMade<string, Parsed>(20_000);
/** A patient is read by each step of his referral, a minute or two apart. */
const patients = new LastMade<string, Parsed>(1000);

const keptIn: ReadonlyMap<string, LastMade<string, Parsed>> = new Map([
  ...['CodeSystem', 'HealthcareService', 'Location', 'Organization', 'Practitioner', 'PractitionerRole', 'Schedule'].map(
    (type) => [type, directory] as const,
  ),
  ['Patient', patients] as const,
]);

/** The resource of a stored text, which nobody may change: one text of a record that many commands read is parsed once. */
export const parsedOnce = ({ type, id, body }: Text): Resource => {
  const parse = (): Parsed => ({ body, resource: parseJson(body) as Resource });
  const kept = keptIn.get(type);
  if (kept === undefined) return parse().resource;
  // the text itself tells whether it is the same: no version does, when stores come and go
  return kept.get(referenceTo({ type, id }), (known) => known.body === body, parse).resource;
};
