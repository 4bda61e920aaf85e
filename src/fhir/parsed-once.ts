import { parseJson } from './json.js';
import { referenceTo, type Resource } from './resource.js';

/** Records that change seldom and that every command reads: code systems, and the directory. */
const kept: ReadonlySet<string> = new Set([
  'CodeSystem',
  'HealthcareService',
  'Location',
  'Organization',
  'Practitioner',
  'PractitionerRole',
  'Schedule',
]);
const most = 20_000;
const parsed = new Map<string, { readonly body: string; readonly resource: Resource }>();

/** The resource of a stored text, which nobody may change: one text of a directory's record is parsed once. */
export const parsedOnce = ({ type, id, body }: { readonly type: string; readonly id: string; readonly body: string }): Resource => {
  if (!kept.has(type)) return parseJson(body) as Resource;
  const key = referenceTo({ type, id });
  const known = parsed.get(key);
  // the text itself tells whether it is the same: no version does, when stores come and go
  if (known?.body === body) return known.resource;
  const resource = parseJson(body) as Resource;
  parsed.delete(key);
  for (const oldest of parsed.size >= most ? [...parsed.keys()].slice(0, most / 10) : []) parsed.delete(oldest);
  parsed.set(key, { body, resource });
  return resource;
};
