import type { Histogram, Registry } from 'prom-client';

/** upper bounds in seconds */
const buckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5] as const;

type Times = { readonly counts: number[]; sum: number };
type Figure = { readonly labels: Readonly<Record<string, string | number>>; readonly value: number; readonly metricName?: string };

/** The figures of a method: how many answers by status, and how long they took. */
class Figures {
  readonly statuses: number[] = [];
  readonly times: Times = { counts: Array<number>(buckets.length + 1).fill(0), sum: 0 };

  observe(status: number, seconds: number): void {
    let bucket = 0;
    while (seconds > (buckets[bucket] ?? Number.POSITIVE_INFINITY)) bucket++;
    this.times.counts[bucket] = (this.times.counts[bucket] ?? 0) + 1;
    this.times.sum += seconds;
    this.statuses[status] = (this.statuses[status] ?? 0) + 1;
  }
}

const timesOf = (method: string, { counts, sum }: Times): readonly Figure[] => {
  let below = 0;
  const steps = counts.map((count, index) => {
    below += count;
    return { metricName: 'http_request_seconds_bucket', labels: { le: buckets[index] ?? '+Inf', method }, value: below };
  });
  return [
    ...steps,
    { metricName: 'http_request_seconds_sum', labels: { method }, value: sum },
    { metricName: 'http_request_seconds_count', labels: { method }, value: below },
  ];
};

/**
 * Counts the answers of the server: `http_request_seconds` and `http_answers_total`. They are numbers in arrays until somebody asks, as each
 * request pays for them: the library's own look their labels up again for every observation.
 */
export const answerFigures = (registry: Registry): ((method: string, status: number, ms: number) => void) => {
  const known = new Map<string, Figures>();
  const all = <T>(of: (method: string, figures: Figures) => readonly T[]): readonly T[] =>
    [...known].flatMap(([method, figures]) => of(method, figures));
  const register = (name: string, help: string, type: string, values: () => readonly Figure[]): void => {
    const metric = { name, help, type, get: () => Promise.resolve({ name, help, type, values: values(), aggregator: 'sum' }) };
    registry.registerMetric(metric as unknown as Histogram);
  };
  register('http_request_seconds', 'time to answer', 'histogram', () => all((method, { times }) => timesOf(method, times)));
  register('http_answers_total', 'answers by status', 'counter', () =>
    all((method, { statuses }) => Object.entries(statuses).map(([status, value]) => ({ labels: { method, status }, value }))),
  );
  return (method, status, ms) => {
    let figures = known.get(method);
    if (figures === undefined) known.set(method, (figures = new Figures()));
    figures.observe(status, ms / 1000);
  };
};
