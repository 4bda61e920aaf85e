import { Registry } from 'prom-client';
import { answerFigures } from '../../src/http/plugins/answer-figures.js';

const shown = async (answers: readonly (readonly [method: string, status: number, ms: number])[]): Promise<readonly string[]> => {
  const registry = new Registry();
  const observe = answerFigures(registry);
  for (const [method, status, ms] of answers) observe(method, status, ms);
  return (await registry.metrics()).split('\n');
};

test('answers are counted by method and status', async () => {
  const lines = await shown([
    ['get', 200, 1],
    ['get', 200, 1],
    ['get', 404, 1],
    ['post', 201, 1],
  ]);
  expect(lines.filter((line) => line.startsWith('http_answers_total'))).toEqual([
    'http_answers_total{method="get",status="200"} 2',
    'http_answers_total{method="get",status="404"} 1',
    'http_answers_total{method="post",status="201"} 1',
  ]);
});
test('each bucket holds what took as long or less; sum and count are of all, also of what was slower than every bound', async () => {
  const lines = await shown([
    ['get', 200, 1],
    ['get', 200, 1.5],
    ['get', 200, 8000],
  ]);
  const of = (le: string): string => `http_request_seconds_bucket{le="${le}",method="get"}`;
  expect(lines).toEqual(
    expect.arrayContaining([
      `${of('0.001')} 1`,
      `${of('0.002')} 2`,
      `${of('5')} 2`,
      `${of('+Inf')} 3`,
      'http_request_seconds_sum{method="get"} 8.0025',
      'http_request_seconds_count{method="get"} 3',
      '# TYPE http_request_seconds histogram',
    ]),
  );
});
test('before any answer there are no figures, but their names are known', async () => {
  const lines = await shown([]);
  expect(lines).toContain('# TYPE http_answers_total counter');
  expect(lines.some((line) => line.startsWith('http_'))).toBe(false);
});
