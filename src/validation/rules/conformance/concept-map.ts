import { itemsOf } from '../../invariants/native.js';
import type { Check } from '../../shapes.js';
import type { CodeSet } from '../../terminology/value-sets.js';
import { isNode, type Node, type Walk } from '../../walk.js';

const scopeOf = (map: Node, name: 'source' | 'target', codes: (valueSet: string) => CodeSet | undefined): CodeSet | undefined => {
  const canonical = map[`${name}Canonical`] ?? map[`${name}Uri`];
  return typeof canonical === 'string' ? codes(canonical) : undefined;
};

const checkCode = (walk: Walk, scope: CodeSet | undefined, system: unknown, code: unknown): void => {
  if (scope === undefined || typeof system !== 'string' || typeof code !== 'string') return;
  if (scope.membership(system, code) === 'out')
    walk.error('code-invalid', `'${code}' is not in ${scope.title}, which the map is of`, 'ConceptMap scope', 'code');
};

/** R4 conceptmap.html#scope: the codes of a map are those of the value sets that it maps. */
export const conceptMapCheck =
  (codes: (valueSet: string) => CodeSet | undefined): Check =>
  (walk, value) => {
    if (!isNode(value)) return;
    const [source, target] = [scopeOf(value, 'source', codes), scopeOf(value, 'target', codes)];
    if (source === undefined && target === undefined) return;
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
