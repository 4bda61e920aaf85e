import type { Connection, Request } from 'tedious';
import { Statements } from '../../src/store/mssql/statements.js';

type Call = readonly [how: string, text: string | undefined, handle: number | undefined, values: unknown];
type Fault = Error & { number?: number };

const fault = (message: string, number?: number): Fault => Object.assign(new Error(message), number === undefined ? {} : { number });

/** A connection that answers each statement with one row, or with what `faults` has for the call. */
const aConnection = (faults: Readonly<Record<string, (() => Fault | undefined) | undefined>> = {}) => {
  const calls: Call[] = [];
  let handles = 0;
  const begin = (how: string, request: Request, values?: unknown): Fault | undefined => {
    calls.push([how, request.sqlTextOrProcedure, request.handle, values]);
    return faults[how]?.();
  };
  const answer = (request: Request, error: Fault | undefined): void => {
    if (!error)
      for (const value of [how(request), 'of another result']) {
        request.emit('columnMetadata', []);
        request.emit('row', [{ metadata: { colName: 'got' }, value }]);
      }
    request.userCallback(error);
  };
  const how = (request: Request): string => (request.handle === undefined ? 'text' : `handle ${String(request.handle)}`);
  const connection = {
    execSql: (request: Request) => {
      answer(request, begin('ask', request));
    },
    execute: (request: Request, values: unknown) => {
      answer(request, begin('execute', request, values));
    },
    prepare: (request: Request) => {
      const error = begin('prepare', request);
      if (error) request.emit('error', error);
      else {
        request.handle = ++handles;
        request.emit('prepared');
      }
    },
    unprepare: (request: Request) => {
      begin('unprepare', request);
      request.userCallback(undefined);
    },
  };
  const planned: number[] = [];
  return { calls, planned, statements: new Statements(connection as unknown as Connection, (more) => planned.push(more)) };
};

it('tells of each statement that the connection has not prepared, also when it fails', async () => {
  const { planned, statements } = aConnection();
  for (let use = 1; use <= 3; use++) await statements.run('select 1', {});
  expect(planned).toEqual([1, -1, 1, -1]);
  const failing = aConnection({ ask: () => fault('no', 50_001) });
  await expect(failing.statements.run('select 1', {})).rejects.toThrow('no');
  expect(failing.planned).toEqual([1, -1]);
});

const howOf = (calls: readonly Call[]): readonly string[] => calls.map(([how]) => how);

it('a statement is prepared when it is asked the second time, and goes by its handle from then on', async () => {
  const { calls, statements } = aConnection();
  const got = [];
  for (const id of ['a', 'b', 'c']) got.push(...(await statements.run('select @id as got', { id })));
  expect(got).toEqual([{ got: 'text' }, { got: 'handle 1' }, { got: 'handle 1' }]);
  expect(howOf(calls)).toEqual(['ask', 'prepare', 'execute', 'execute']);
  expect(calls.at(-1)).toEqual(['execute', 'select @id as got', 1, { id: 'c' }]);
});

it('values of other types make another statement', async () => {
  const { calls, statements } = aConnection();
  for (const value of [1, 2 ** 40, 'x', 'x'.repeat(5000), null, Buffer.from('x'), 0.5]) await statements.run('select @value', { value });
  // a text and nothing are of one type
  expect(howOf(calls)).toEqual(['ask', 'ask', 'ask', 'ask', 'prepare', 'execute', 'ask', 'ask']);
});

it('a statement that the server does not prepare is sent as it is', async () => {
  const { calls, statements } = aConnection({ prepare: () => fault('not this one', 8180) });
  for (let n = 0; n < 3; n++) expect(await statements.run('select 1', {})).toEqual([{ got: 'text' }]);
  expect(howOf(calls)).toEqual(['ask', 'prepare', 'ask', 'ask']);
});

it('a connection that breaks while it prepares is an error, and nothing was run', async () => {
  const { calls, statements } = aConnection({ prepare: () => fault('gone') });
  await statements.run('select 1', {});
  await expect(statements.run('select 1', {})).rejects.toThrow('gone');
  expect(howOf(calls)).toEqual(['ask', 'prepare']);
});

it('a handle that the server does not know any more is forgotten, and the statement runs', async () => {
  const lost = [fault('no such handle', 8179), undefined, undefined];
  const { calls, statements } = aConnection({ execute: () => lost.shift() });
  for (let n = 0; n < 4; n++) expect(await statements.run('select 1', {})).toHaveLength(1);
  expect(howOf(calls)).toEqual(['ask', 'prepare', 'execute', 'ask', 'ask', 'prepare', 'execute']);
});

it('any other error of a prepared statement is told, and does not run it twice', async () => {
  const { calls, statements } = aConnection({ execute: () => fault('taken', 50_002) });
  await statements.run('update', {});
  await expect(statements.run('update', {})).rejects.toThrow('taken');
  expect(howOf(calls)).toEqual(['ask', 'prepare', 'execute']);
});

it('of many errors the last one, which ended the batch, is told', async () => {
  const both = Object.assign(new AggregateError([fault('first', 1), fault('last', 2)]), {}) as Fault;
  const { statements } = aConnection({ ask: () => both });
  await expect(statements.run('select 1', {})).rejects.toMatchObject({ message: 'last', number: 2 });
});

it('a connection holds no more statements than 300: the one that was used longest ago goes', async () => {
  const { calls, statements } = aConnection();
  for (let n = 0; n < 2; n++) for (const text of ['old', 'used']) await statements.run(text, {});
  for (let n = 0; n < 299; n++) {
    await statements.run(`select ${String(n)}`, {});
    await statements.run('used', {});
  }
  expect(calls.filter(([how]) => how === 'unprepare').map(([, , handle]) => handle)).toEqual([1]);
});
