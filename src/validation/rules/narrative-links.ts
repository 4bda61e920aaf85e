import type { Check } from '../shapes.js';
import { isNode, type Walk } from '../walk.js';

const idInText = /\s(?:id|name)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

const collect = (value: unknown, ids: Set<string>, key = ''): void => {
  if (typeof value === 'string') {
    if (key === 'id') ids.add(value);
    if (key === 'div') for (const [, double, single] of value.matchAll(idInText)) ids.add(double ?? single ?? '');
  } else if (Array.isArray(value)) for (const item of value) collect(item, ids, key);
  else if (isNode(value)) for (const name in value) collect(value[name], ids, name);
};

/** The ids of elements, of resources and of narratives below an object, found once for each. */
const made = new WeakMap<object, ReadonlySet<string>>();

const idsOf = (value: object): ReadonlySet<string> => {
  const known = made.get(value);
  if (known !== undefined) return known;
  const ids = new Set<string>();
  collect(value, ids);
  made.set(value, ids);
  return ids;
};

const resolves = ({ frame }: Walk, id: string): boolean =>
  idsOf(frame.container).has(id) || (frame.bundle !== undefined && idsOf(frame.bundle).has(id));

const link = /\s(href|src)\s*=\s*(?:"#([^"]+)"|'#([^']+)')/g;

/** R4 narrative.html#id, which asks it of nobody: a link inside a narrative leads to an element of the resource, or of the document that holds it. */
export const narrativeLinksCheck: Check = (walk, value) => {
  if (typeof value !== 'string' || !(value.includes('"#') || value.includes("'#"))) return;
  for (const [, attribute = '', double, single] of value.matchAll(link)) {
    const id = double ?? single ?? '';
    if (!resolves(walk, id))
      walk.warning('not-found', `the narrative has ${attribute}="#${id}", and nothing here has that id`, 'narrative.html#id');
  }
};
