import { itemsOf } from '../../invariants/native.js';
import type { Check } from '../../shapes.js';
import type { CodeSet } from '../../terminology/value-sets.js';
import { isNode, type Node, type Walk } from '../../walk.js';

type Scope = { readonly scope: CodeSet | undefined; readonly severity: 'error' | 'warning' };

const scopeOf = (map: Node, name: 'source' | 'target', codes: (valueSet: string) => CodeSet | undefined): CodeSet | undefined => {
  const canonical = map[`${name}Canonical`] ?? map[`${name}Uri`];
  return typeof canonical === 'string' ? codes(canonical) : undefined;
};

// HL7's own maps between the codes of R4 and those of v2, v3 and its canonical statuses name codes that are in none of their value sets
const published = 'http://hl7.org/fhir/ConceptMap/';

const checkCode = (walk: Walk, { scope, severity }: Scope, system: unknown, code: unknown): void => {
  if (scope === undefined || typeof system !== 'string' || typeof code !== 'string') return;
  if (scope.membership(system, code) === 'out')
    walk[severity]('code-invalid', `'${code}' is not in ${scope.title}, which the map is of`, 'ConceptMap scope', 'code');
};

/** R4 conceptmap.html#scope: the codes of a map are those of the value sets that it maps. */
export const conceptMapCheck =
  (codes: (valueSet: string) => CodeSet | undefined): Check =>
  (walk, value) => {
    if (!isNode(value)) return;
    const severity = String(value['url']).startsWith(published) ? 'warning' : 'error';
    const source: Scope = { scope: scopeOf(value, 'source', codes), severity };
    const target: Scope = { scope: scopeOf(value, 'target', codes), severity };
    if (source.scope === undefined && target.scope === undefined) return;
    itemsOf(value, 'group').forEach((group, place) => {
      itemsOf(group, 'element').forEach((element, index) => {
        walk.path.push('group', place, 'element', index);
        checkCode(walk, source, group['source'], element['code']);
        itemsOf(element, 'target').forEach(({ code }, at) => {
          walk.path.push('target', at);
          checkCode(walk, target, group['target'], code);
          walk.path.length -= 2;
        });
        walk.path.length -= 4;
      });
    });
  };
