import { sql } from 'kysely';
import type { SearchPlan, Sight } from '../port.js';
import type { Dialect, Fragment, Parameter } from './dialect.js';

/** What one search is run with. Searches of the same shape share a statement and differ in what they bind from here. */
export type Run = {
  readonly plan: SearchPlan;
  readonly sight: Sight;
  /** the position to continue after */
  readonly after: readonly Parameter[] | undefined;
  /** rows wanted */
  readonly limit: number;
};

/** Reads a part of the run: the parts of a plan that a statement binds are found again by these. */
export type At<T> = (run: Run) => T;

class Binding<R> {
  constructor(readonly read: (run: R) => Parameter) {}
}

/** A parameter that each run reads for itself, of whatever kind its runs are. */
export const bindIn = (read: (run: never) => Parameter): Fragment => sql`${new Binding(read)}`;

/** A parameter that each run of a search reads for itself. */
export const bind = (read: (run: Run) => Parameter): Fragment => bindIn(read);

/** A statement whose parameters are read from a run. */
export type Prepared<R = Run> = { readonly text: string; readonly parameters: readonly (Binding<R> | Parameter)[] };

export const prepare = <R = Run>(dialect: Dialect, query: Fragment): Prepared<R> => dialect.compile(query);

export const parametersOf = <R>({ parameters }: Prepared<R>, run: R): readonly Parameter[] =>
  parameters.map((parameter) => (parameter instanceof Binding ? parameter.read(run) : parameter));
