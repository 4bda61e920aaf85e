import { meets, milesBetween, type ListedService, type SearchCriteria, type Searcher } from './criteria.js';

/** How A010 sorts (eRS-SortBy): nearest first, or by the indicative wait. */
export type ServiceOrder = 'DISTANCE' | 'IWT';

export type FoundService = { readonly service: ListedService; readonly miles: number | undefined };

/** Services that meet some criteria: how many, and the first of them in order. */
export type FoundServices = { readonly total: number; readonly first: readonly FoundService[] };

/** A010 shows no more than these. */
export const mostFound = 200;

type Compare = (a: FoundService, b: FoundService) => number;

const byDistance: Compare = (a, b) => (a.miles ?? Number.POSITIVE_INFINITY) - (b.miles ?? Number.POSITIVE_INFINITY);
const waitOf = ({ service }: FoundService): number => service.summary.indicativeWaitDays ?? Number.POSITIVE_INFINITY;
const byWait: Compare = (a, b) => waitOf(a) - waitOf(b);
const byId: Compare = (a, b) => (a.service.id < b.service.id ? -1 : 1);

/** Infinity minus infinity is no number: two services without a distance, or a wait, are equal in it. */
const order =
  (first: Compare, second: Compare): Compare =>
  (a, b) =>
    first(a, b) || second(a, b) || byId(a, b);

const orders: Readonly<Record<ServiceOrder, Compare>> = { DISTANCE: order(byDistance, byWait), IWT: order(byWait, byDistance) };

/** Those of the candidates that meet the criteria, in order. */
export const findServices = (
  candidates: readonly ListedService[],
  criteria: SearchCriteria,
  searcher: Searcher,
  by: ServiceOrder,
): FoundServices => {
  const { position } = searcher;
  const found = candidates
    .filter((service) => meets(service, criteria, searcher))
    .map((service) => ({
      service,
      miles: position === undefined || service.position === undefined ? undefined : milesBetween(position, service.position),
    }));
  return { total: found.length, first: found.sort(orders[by]).slice(0, mostFound) };
};

/** What the answer depends on beside the directory: the same for all patients where age and gender do not count. */
export const searchKey = (criteria: SearchCriteria, { age, gender, position }: Searcher, by: ServiceOrder): string =>
  JSON.stringify([by, criteria, position, ...(criteria.ageAndGenderAppropriate ? [age, gender] : [])]);
