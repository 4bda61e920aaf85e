/** What is asked of the store: conditions, an order, a page. */
import type { Key } from '../fhir/resource.js';
import type { Sight } from './port.js';

/**
 * One condition; all conditions of a plan hold together, the alternatives within one are any-of.
 * `param` is a search parameter's code of the plan's type.
 */
export type Predicate =
  | { readonly kind: 'id'; readonly ids: readonly string[] }
  | {
      readonly kind: 'token';
      readonly param: string;
      readonly not?: boolean;
      /** system undefined: any system; '' : none. code undefined: any code of the system */
      readonly any: readonly { readonly system?: string; readonly code?: string }[];
      /** the values are identifiers, of which each is had by few rows, whatever the parameter is otherwise about */
      readonly identifying?: true;
    }
  | { readonly kind: 'reference'; readonly param: string; readonly any: readonly Key[] }
  /** date, number, quantity: see R4 search.html#prefix for how low/high of the value compare with the row's */
  | {
      readonly kind: 'range';
      readonly param: string;
      readonly any: readonly { readonly prefix: Prefix; readonly low: number; readonly high: number }[];
    }
  | {
      readonly kind: 'text';
      readonly param: string;
      /** by code points: `from` is not before, `below` is before */
      readonly mode: 'starts' | 'exact' | 'contains' | 'ends' | 'from' | 'below';
      readonly any: readonly string[];
    }
  | { readonly kind: 'missing'; readonly param: string; readonly missing: boolean }
  | {
      readonly kind: 'updated';
      readonly any: readonly { readonly prefix: Prefix; readonly low: number; readonly high: number }[];
    }
  /** within `km` of a point, on the sphere */
  | {
      readonly kind: 'near';
      readonly param: string;
      readonly any: readonly { readonly latitude: number; readonly longitude: number; readonly km: number }[];
    }
  /** has the word: in the narrative (`_text`), or anywhere (`_content`) */
  | { readonly kind: 'word'; readonly param: '_text' | '_content'; readonly word: string }
  /** all of one of the lists hold */
  | { readonly kind: 'either'; readonly of: readonly (readonly Predicate[])[] }
  /** not all of these hold */
  | { readonly kind: 'not'; readonly where: readonly Predicate[] }
  /**
   * chain: a reference of this row through `param` to a row of `type` for which `where` holds. `sight`: only rows that the caller may
   * see count; without it all do, which is for the server's own searches. `implied`: the client did not name the type, so that it is
   * passed over, and not refused, when the caller may not read it
   */
  | {
      readonly kind: 'chain';
      readonly param: string;
      readonly type: string;
      readonly where: readonly Predicate[];
      readonly implied?: true;
      readonly sight?: Sight;
    }
  /** _has: a row of `type` refers to this one through `param` and `where` holds for it; `sight` as for a chain */
  | { readonly kind: 'has'; readonly param: string; readonly type: string; readonly where: readonly Predicate[]; readonly sight?: Sight }
  /** matches nothing, e.g. an identifier that no resource has */
  | { readonly kind: 'never' };

/** R4 search.html#prefix; `po`: the row's range overlaps the value's, `co`: it holds all of it (R4 search_filter.html#ops) */
export type Prefix = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb' | 'po' | 'co';

/** `reference`: by the id of what is referred to */
export type Sort = {
  readonly param: string;
  readonly kind: 'token' | 'range' | 'text' | 'updated' | 'id' | 'reference';
  readonly descending: boolean;
};

export type SearchPlan = {
  readonly type: string;
  readonly where: readonly Predicate[];
  readonly sort: readonly Sort[];
  /** rows wanted: 1..1000 */
  readonly count: number;
  /** the opaque position from a Page's `next` */
  readonly after?: string;
  /** `true`: rows of contained resources of the type alone (see store/layout); `both`: those and the type's own */
  readonly contained?: 'true' | 'both';
  /** asks for `places` */
  readonly placed?: true;
};
