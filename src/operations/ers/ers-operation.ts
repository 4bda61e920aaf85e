import type { Decision, Found } from '../../domain/command.js';
import type { Situation } from '../../domain/situation.js';
import type { Interaction } from '../../access/scopes.js';
import { notFound, written } from '../../interactions/answers.js';
import { refuseUnreadableResources } from '../../interactions/checked.js';
import type { House, Success } from '../../interactions/house.js';
import { perform, situationOf } from '../../interactions/perform.js';
import { checkVersion } from '../../interactions/update.js';
import type { Put } from '../../store/port.js';
import type { Operation } from '../operation.js';
import { Inputs, type Declared } from '../parameters.js';
import { output } from './declare.js';
import { operationRules, type OperationCode } from '../../access/operation-rules.js';

type Described = {
  /** with `ers.`, as the access table has it */
  readonly code: OperationCode;
  readonly name: string;
  readonly description: string;
  readonly type: 'ServiceRequest' | 'Slot';
  readonly parameters: readonly Declared[];
  /** without any, the resource that was written */
  readonly outputs?: readonly Declared[];
};

export type OnInstance = Described & {
  readonly decide: (situation: Situation, found: Found, inputs: Inputs) => Promise<Decision>;
  readonly answer?: (house: House, done: Done) => Success;
};

/** What was written, and what came of the one resource that the decision shows. */
export type Done = { readonly put: Put; readonly puts: readonly Put[] };

const definitionOf = ({ code, name, description, type, parameters, outputs }: Described, instance: boolean): Operation['definition'] => ({
  name,
  code,
  description,
  affectsState: true,
  system: false,
  type: !instance,
  instance,
  resource: [type],
  parameter: [...parameters, ...(outputs ?? [output(type, 'as it was written')])] as NonNullable<Operation['definition']['parameter']>,
});

/** The resources of a Unit that the answer shows as Parameters, under the names that e-RS gives them. */
export const answerParts =
  (parts: (done: Done) => readonly { readonly name: string; readonly put: Put | undefined }[]) =>
  (house: House, done: Done): Success => {
    const shown = parts(done).flatMap(({ name, put }) => (put?.body === undefined ? [] : [`{"name":"${name}","resource":${put.body}}`]));
    const { headers } = written(house, done.put);
    const { location: _location, ...rest } = headers;
    return { status: 200, body: `{"resourceType":"Parameters","parameter":[${shown.join(',')}]}`, headers: rest };
  };

/** Answers the resource itself, as a write by plain REST does. */
const answerResource = (house: House, { put }: Done): Success => written(house, put);

/**
 * An operation on one record: found with the caller's sight, its version compared with If-Match, then decided and committed. The role and
 * the presence of If-Match were checked before, from the access table.
 */
export const onInstance = (described: OnInstance): Operation => ({
  definition: definitionOf(described, true),
  interaction: 'u' satisfies Interaction,
  perform: async (house, call, { id = '', body }) => {
    const key = { type: described.type, id };
    refuseUnreadableResources(house, body);
    const inputs = Inputs.read(described.parameters, body);
    const { put, unit } = await perform(house, call, async (facts) => {
      const found = await facts.find(key);
      if (!found) throw notFound(key);
      if (operationRules[described.code].ifMatch || call.ifMatch !== undefined) checkVersion(call, key, found.version);
      return described.decide(situationOf(house, call, facts), found, inputs);
    });
    return (described.answer ?? answerResource)(house, { put, puts: unit.puts ?? [] });
  },
});

/** An operation that makes a record: 201 with its Location, unless e-RS has it answer otherwise. */
export const onType = (
  described: Described & {
    readonly decide: (situation: Situation, inputs: Inputs) => Promise<Decision>;
    readonly answer?: (house: House, done: Done) => Success;
  },
): Operation => ({
  definition: definitionOf(described, false),
  interaction: 'c' satisfies Interaction,
  perform: async (house, call, { body }) => {
    refuseUnreadableResources(house, body);
    const inputs = Inputs.read(described.parameters, body);
    const { put, unit } = await perform(house, call, (facts) => described.decide(situationOf(house, call, facts), inputs));
    return (described.answer ?? answerResource)(house, { put, puts: unit.puts ?? [] });
  },
});

export const maybe = <K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } =>
  (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
