/**
 * Random resources and random queries over them, each with a plain reading of what it means: of the JSON alone, without an index or a parser.
 */
import fc from 'fast-check';

type Organization = { readonly resourceType: 'Organization'; readonly id: string; readonly name: string; readonly partOf?: Link };
type Link = { readonly reference: string };
type Patient = {
  readonly resourceType: 'Patient';
  readonly id: string;
  readonly name?: readonly { readonly family: string }[];
  readonly gender?: string;
  readonly birthDate?: string;
  readonly generalPractitioner?: readonly Link[];
  readonly contained?: readonly { readonly resourceType: 'Practitioner'; readonly id: 'd'; readonly name: readonly { family: string }[] }[];
};
type Observation = {
  readonly resourceType: 'Observation';
  readonly id: string;
  readonly status: string;
  readonly subject: Link;
  readonly code: { readonly coding: readonly { readonly system: string; readonly code: string }[] };
  readonly valueQuantity?: { readonly value: number; readonly system?: string; readonly code?: string };
  readonly hasMember?: readonly Link[];
};
export type Any = Organization | Patient | Observation;
export type World = readonly Any[];

const one = <T>(values: readonly T[]) => fc.constantFrom(...values);
const maybe = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined });
const without = <T extends object>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

const families = ['Ann', 'anna', 'Hannah', 'Ändré', 'Bob'];
const genders = ['male', 'female', 'other'];
const births = ['1980', '1980-05', '1980-05-10', '1990-01-01', '1979-12-31'];
const names = ['North', 'north east', 'South'];
const statuses = ['final', 'amended', 'preliminary'];
const codes = ['A', 'b', 'C1'];
const [patients, observations, organizations] = [
  ['p0', 'p1', 'p2', 'p3', 'p4', 'p5'],
  ['b0', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6'],
  ['o0', 'o1', 'o2'],
] as const;
const ucum = 'http://unitsofmeasure.org';

const organization = (id: string, index: number): fc.Arbitrary<Organization> =>
  fc
    .record({ name: one(names), part: index === 0 ? fc.constant(undefined) : maybe(one(organizations.slice(0, index))) })
    .map(({ name, part }) =>
      without({ resourceType: 'Organization', id, name, partOf: part && { reference: `Organization/${part}` } } as Organization),
    );
const patient = (id: string): fc.Arbitrary<Patient> =>
  fc
    .record({
      family: maybe(one(families)),
      gender: maybe(one(genders)),
      birthDate: maybe(one(births)),
      by: maybe(one([...organizations, '#d'])),
      doctor: one(families),
    })
    .map(({ family, by, doctor, ...rest }) =>
      without({
        ...{ resourceType: 'Patient' as const, id, ...rest, name: family === undefined ? undefined : [{ family }] },
        generalPractitioner: by === undefined ? undefined : [{ reference: by === '#d' ? by : `Organization/${by}` }],
        contained: by === '#d' ? [{ resourceType: 'Practitioner', id: 'd', name: [{ family: doctor }] }] : undefined,
      } as Patient),
    );
const observation = (id: string, index: number): fc.Arbitrary<Observation> =>
  fc
    .record({
      ...{ status: one(statuses), of: one(patients), code: one(codes), system: one(['s', 't']) },
      value: maybe(fc.record({ value: one([0.5, 5, 500, 5000]), unit: one(['g', 'kg', 'mg', undefined] as const) })),
      members: fc.uniqueArray(one(observations.slice(0, Math.max(1, index))), { maxLength: index === 0 ? 0 : 2 }),
    })
    .map(({ status, of, code, system, value, members }) =>
      without({
        ...{
          resourceType: 'Observation' as const,
          id,
          status,
          subject: { reference: `Patient/${of}` },
          code: { coding: [{ system, code }] },
        },
        valueQuantity: value && { value: value.value, ...(value.unit === undefined ? {} : { system: ucum, code: value.unit }) },
        hasMember: members.length === 0 ? undefined : members.map((member) => ({ reference: `Observation/${member}` })),
      } as Observation),
    );
export const worlds: fc.Arbitrary<World> = fc
  .tuple(fc.tuple(...organizations.map(organization)), fc.tuple(...patients.map(patient)), fc.tuple(...observations.map(observation)))
  .map(([a, b, c]) => [...a, ...b, ...c]);

/** One condition, in both forms that a client may give it, and what it means. */
export type Condition = {
  readonly query: readonly [string, string] | undefined;
  readonly filter: string | undefined;
  readonly holds: (resource: Any, world: World) => boolean;
};
const folded = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
const quoted = (text: string): string => `"${text}"`;

const texts = (name: string, values: readonly string[], of: (resource: Any) => string | undefined): readonly fc.Arbitrary<Condition>[] => {
  const asked = one([...values, 'an', 'AN', 'n']);
  const make = (suffix: string | undefined, operator: string | undefined, test: (has: string, text: string) => boolean, ofNone = false) =>
    asked.map((text): Condition => ({
      query: suffix === undefined ? undefined : [`${name}${suffix}`, text],
      filter: operator === undefined ? undefined : `${name} ${operator} ${quoted(text)}`,
      holds: (resource) => {
        const has = of(resource);
        return has === undefined ? ofNone : test(has, text);
      },
    }));
  return [
    make('', 'sw', (has, text) => folded(has).startsWith(folded(text))),
    make(':contains', 'co', (has, text) => folded(has).includes(folded(text))),
    make(':exact', undefined, (has, text) => has === text),
    make(undefined, 'ew', (has, text) => folded(has).endsWith(folded(text))),
    make(undefined, 'eq', (has, text) => folded(has) === folded(text)),
    make(undefined, 'ne', (has, text) => folded(has) !== folded(text)),
    make(undefined, 'gt', (has, text) => folded(has) > folded(text)),
    make(undefined, 'le', (has, text) => folded(has) <= folded(text)),
    missing(name, of),
  ];
};
const missing = (name: string, of: (resource: Any) => unknown): fc.Arbitrary<Condition> =>
  fc.boolean().map((yes) => ({
    query: [`${name}:missing`, String(yes)],
    filter: `${name} pr ${String(!yes)}`,
    holds: (resource) => (of(resource) === undefined) === yes,
  }));
const tokens = (name: string, values: readonly string[], of: (resource: Any) => string | undefined): readonly fc.Arbitrary<Condition>[] => [
  fc.uniqueArray(one(values), { minLength: 1, maxLength: 2 }).map((any) => ({
    query: [name, any.join(',')],
    filter: any.map((code) => `${name} eq ${code}`).join(' or '),
    holds: (resource) => any.includes(of(resource) ?? ''),
  })),
  one(values).map((code) => ({
    query: [`${name}:not`, code],
    filter: `not (${name} eq ${code})`,
    holds: (resource) => of(resource) !== code,
  })),
  one(values).map((code) => ({
    query: undefined,
    filter: `${name} ne ${code}`,
    holds: (resource) => of(resource) !== undefined && of(resource) !== code,
  })),
  missing(name, of),
];

const span = (date: string): { readonly low: number; readonly high: number } => {
  const [year = 0, month, day] = date.split('-').map(Number);
  const low = Date.UTC(year, (month ?? 1) - 1, day ?? 1);
  return { low, high: day !== undefined ? low + 86_400_000 : month !== undefined ? Date.UTC(year, month, 1) : Date.UTC(year + 1, 0, 1) };
};
type Span = ReturnType<typeof span>;
const within = (row: Span, asked: Span): boolean => row.low >= asked.low && row.high <= asked.high;
const byDate: Readonly<Record<string, (row: Span, asked: Span) => boolean>> = {
  eq: within,
  ne: (row, asked) => !within(row, asked),
  gt: (row, asked) => row.high > asked.high,
  lt: (row, asked) => row.low < asked.low,
  ge: (row, asked) => row.high > asked.high || within(row, asked),
  le: (row, asked) => row.low < asked.low || within(row, asked),
  sa: (row, asked) => row.low >= asked.high,
  eb: (row, asked) => row.high <= asked.low,
};
const dates = (name: string, of: (resource: Any) => string | undefined): fc.Arbitrary<Condition> =>
  fc.tuple(one(Object.keys(byDate)), one([...births, '1980-06', '1985'])).map(([prefix, date]) => ({
    query: [name, `${prefix}${date}`],
    filter: `${name} ${prefix} ${date}`,
    holds: (resource) => {
      const has = of(resource);
      return has !== undefined && byDate[prefix]!(span(has), span(date));
    },
  }));

const grams: Readonly<Record<string, number>> = { mg: 0.001, g: 1, kg: 1000 };
const byNumber: Readonly<Record<string, (has: number, asked: number, half: number) => boolean>> = {
  '': (has, asked, half) => has >= asked - half && has < asked + half,
  ne: (has, asked, half) => !(has >= asked - half && has < asked + half),
  gt: (has, asked) => has > asked,
  lt: (has, asked) => has < asked,
  ge: (has, asked) => has >= asked,
  le: (has, asked) => has <= asked,
};
const quantities = fc
  .tuple(
    one(Object.keys(byNumber)),
    one([
      ['5', 0.5],
      ['0.5', 0.05],
      ['500', 0.5],
    ] as const),
    one(['', '||g', `|${ucum}|g`, `|${ucum}|mg`]),
  )
  .map(([prefix, [text, half], unit]): Condition => ({
    query: ['value-quantity', `${prefix}${text}${unit}`],
    filter: undefined,
    holds: (resource) => {
      const quantity = resource.resourceType === 'Observation' ? resource.valueQuantity : undefined;
      if (!quantity) return false;
      const asked = unit.split('|').at(-1) ?? '';
      if (unit === '') return byNumber[prefix]!(quantity.value, Number(text), half);
      if (quantity.code === undefined) return false;
      if (unit === '||g') return quantity.code === 'g' && byNumber[prefix]!(quantity.value, Number(text), half);
      const factor = (grams[quantity.code] ?? 0) / (grams[asked] ?? 1);
      return byNumber[prefix]!(quantity.value * factor, Number(text), half);
    },
  }));
const coded = fc.tuple(one(['', 's|', 't|']), one([...codes, 'a', 'c1'])).map(([system, code]): Condition => ({
  query: ['code', `${system}${code}`],
  filter: `code eq ${system}${code}`,
  holds: (resource) =>
    resource.resourceType === 'Observation' &&
    // nothing is known of these systems, so that case does not matter
    resource.code.coding.some((has) => has.code.toLowerCase() === code.toLowerCase() && (system === '' || `${has.system}|` === system)),
}));

const familyOf = (resource: Any | { readonly name?: unknown }): string | undefined =>
  'name' in resource && Array.isArray(resource.name) ? (resource.name as readonly { family: string }[])[0]?.family : undefined;
const nameOf = (resource: Any): string | undefined => (resource.resourceType === 'Organization' ? resource.name : undefined);

/** What links of a resource lead to, contained resources too. */
const reached = (resource: Any, links: readonly (Link | undefined)[], world: World): readonly Any[] =>
  links.flatMap((link) => {
    if (!link) return [];
    if (link.reference.startsWith('#'))
      return (('contained' in resource ? resource.contained : undefined) ?? []) as unknown as readonly Any[];
    return world.filter((other) => `${other.resourceType}/${other.id}` === link.reference);
  });
const linked = (
  name: string,
  inner: fc.Arbitrary<Condition>,
  of: (resource: Any) => readonly (Link | undefined)[],
  type: string,
): fc.Arbitrary<Condition> =>
  inner.map((condition) => ({
    query: condition.query && [`${name}.${condition.query[0]}`, condition.query[1]],
    // within brackets the rest of a filter is about what the reference leads to
    filter: undefined,
    holds: (resource, world) =>
      reached(resource, of(resource), world).some((other) => other.resourceType === type && condition.holds(other, world)),
  }));
const referring = (type: string, name: string, inner: fc.Arbitrary<Condition>, of: (resource: Any) => readonly (Link | undefined)[]) =>
  inner.map((condition): Condition => ({
    query: condition.query && [`_has:${type}:${name}:${condition.query[0]}`, condition.query[1]],
    filter: undefined,
    holds: (resource, world) =>
      world.some(
        (other) => other.resourceType === type && reached(other, of(other), world).includes(resource) && condition.holds(other, world),
      ),
  }));

const practitionerLinks = (resource: Any) => (resource.resourceType === 'Patient' ? (resource.generalPractitioner ?? []) : []);
const subjectOf = (resource: Any) => (resource.resourceType === 'Observation' ? [resource.subject] : []);
const membersOf = (resource: Any) => (resource.resourceType === 'Observation' ? (resource.hasMember ?? []) : []);
const partOf = (resource: Any) => (resource.resourceType === 'Organization' ? [resource.partOf] : []);

const ofOrganization = (depth: number): fc.Arbitrary<Condition> =>
  fc.oneof(
    ...texts('name', names, nameOf),
    ...(depth === 0 ? [] : [linked('partof', ofOrganization(depth - 1), partOf, 'Organization')]),
    ...(depth === 0 ? [] : [referring('Patient', 'general-practitioner', ofPatient(depth - 1), practitionerLinks)]),
  );
const ofPractitioner = fc.oneof(...texts('family', families, familyOf));
const ofPatient = (depth: number): fc.Arbitrary<Condition> =>
  fc.oneof(
    ...texts('family', families, familyOf),
    ...tokens('gender', genders, (resource) => (resource.resourceType === 'Patient' ? resource.gender : undefined)),
    dates('birthdate', (resource) => (resource.resourceType === 'Patient' ? resource.birthDate : undefined)),
    ...(depth === 0
      ? []
      : [
          linked('general-practitioner:Organization', ofOrganization(depth - 1), practitionerLinks, 'Organization'),
          linked('general-practitioner:Practitioner', ofPractitioner, practitionerLinks, 'Practitioner'),
          referring('Observation', 'subject', ofObservation(depth - 1), subjectOf),
        ]),
  );
const ofObservation = (depth: number): fc.Arbitrary<Condition> =>
  fc.oneof(
    ...tokens('status', statuses, (resource) => (resource.resourceType === 'Observation' ? resource.status : undefined)),
    quantities,
    coded,
    missing('value-quantity', (resource) => (resource.resourceType === 'Observation' ? resource.valueQuantity : undefined)),
    ...(depth === 0
      ? []
      : [
          linked('subject:Patient', ofPatient(depth - 1), subjectOf, 'Patient'),
          linked('has-member:Observation', ofObservation(depth - 1), membersOf, 'Observation'),
          referring('Observation', 'has-member', ofObservation(depth - 1), membersOf),
        ]),
  );

/** R4 search_filter.html: from left to right, without precedence. */
const filters = (atoms: fc.Arbitrary<Condition>, depth: number): fc.Arbitrary<Condition> => {
  const flat = atoms.filter(({ filter }) => filter !== undefined).map((atom) => ({ ...atom, filter: `(${atom.filter ?? ''})` }));
  if (depth === 0) return flat;
  const inner = filters(atoms, depth - 1);
  const bracketed = inner.map((one_) => ({ ...one_, filter: `(${one_.filter ?? ''})` }));
  return fc.oneof(
    flat,
    bracketed.map((one_) => ({
      ...one_,
      filter: `not ${one_.filter}`,
      holds: (resource: Any, world: World) => !one_.holds(resource, world),
    })),
    fc.tuple(inner, bracketed, one(['and', 'or'] as const)).map(([left, right, word]) => ({
      query: undefined,
      filter: `${left.filter ?? ''} ${word} ${right.filter}`,
      holds: (resource: Any, world: World) =>
        word === 'and'
          ? left.holds(resource, world) && right.holds(resource, world)
          : left.holds(resource, world) || right.holds(resource, world),
    })),
  );
};
const asFilter = (conditions: fc.Arbitrary<Condition>): fc.Arbitrary<Condition> =>
  conditions.map((condition) => ({ ...condition, query: ['_filter', condition.filter ?? ''] }));

/** A type and what is asked of it, as conditions that all hold. */
export const searches = one(['Patient', 'Observation', 'Organization'] as const).chain((type) => {
  const atoms = (depth: number) => ({ Patient: ofPatient, Observation: ofObservation, Organization: ofOrganization })[type](depth);
  const asked = fc.oneof(
    { weight: 3, arbitrary: atoms(3).filter(({ query }) => query !== undefined) },
    { weight: 2, arbitrary: asFilter(filters(atoms(0), 3)) },
  );
  return fc.array(asked, { minLength: 1, maxLength: 3 }).map((conditions) => ({ type, conditions }));
});
