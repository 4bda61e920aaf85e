const older = 'http://fhir.nhs.net/Id/';
const present = 'https://fhir.nhs.uk/Id/';

/**
 * What came, with the identifier systems that e-RS's STU3 clients write (`http://fhir.nhs.net/Id/...`) as R4 names them: NHS numbers, SDS users
 * and services are then looked up and compared under one name. The same object where there is none.
 */
export const withPresentSystems = <T>(tree: T): T => {
  if (Array.isArray(tree)) {
    const list = tree.map((one: unknown) => withPresentSystems(one));
    return list.some((one, index) => one !== tree[index]) ? (list as T) : tree;
  }
  if (typeof tree !== 'object' || tree === null) return tree;
  let changed: Record<string, unknown> | undefined;
  for (const [name, value] of Object.entries(tree)) {
    const next: unknown =
      name === 'system' && typeof value === 'string' && value.startsWith(older)
        ? present + value.slice(older.length)
        : withPresentSystems(value as unknown);
    if (next !== value) changed = { ...(changed ?? (tree as Record<string, unknown>)), [name]: next };
  }
  return (changed as T | undefined) ?? tree;
};
