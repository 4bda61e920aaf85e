import { spawnSync } from 'node:child_process';
import path from 'node:path';

const log = path.resolve('dist/log.js');

/** What a process writes that opens the log, does this and ends. */
const written = (level: string, work: string): readonly Record<string, unknown>[] => {
  const script = `import { openLog } from ${JSON.stringify(log)}; const log = openLog(${JSON.stringify(level)}); ${work}`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]));
};
const answered = (more: string): string => `log.answered({ method: 'get', status: 200, ms: 1.2345, requestId: 'r-1', ${more} });`;

test('the line of a request looks like the others: level, time, process and host', () => {
  const [other, request] = written('info', `log.logger.info({ a: 1 }, 'other'); ${answered("type: 'Slot', client: 'gp'")}`);
  expect(request).toMatchObject({ method: 'get', type: 'Slot', status: 200, ms: 1.23, requestId: 'r-1', client: 'gp', msg: 'request' });
  for (const name of ['level', 'pid', 'hostname']) expect(request?.[name]).toBe(other?.[name]);
  expect(Math.abs(Number(request?.['time']) - Number(other?.['time']))).toBeLessThan(1000);
});
test('what a client chose as text stays one JSON string; what is not known is left out', () => {
  const [request] = written('info', answered(String.raw`client: 'a"b\n{', type: undefined`));
  expect(request?.['client']).toBe('a"b\n{');
  expect(request).not.toHaveProperty('type');
});
test('nothing is lost when the process ends as soon as the log is closed, and lines keep their order', () => {
  const lines = written('info', `for (let i = 0; i < 500; i++) { ${answered('client: String(i)')} } await log.close(); process.exit(0);`);
  expect(lines.map(({ client }) => client)).toEqual(Array.from({ length: 500 }, (_, index) => String(index)));
});
test('a higher level leaves the lines of requests out', () => {
  expect(written('warn', `${answered("client: 'gp'")} log.logger.warn('kept');`).map(({ msg }) => msg)).toEqual(['kept']);
});
