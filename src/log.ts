import { writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { destination, pino, type Logger } from 'pino';

// lines are written together: a write for each would cost more than the rest of the line
const logBytes = 64_000;
const logEveryMs = 100;

/** The line of an answered request. It holds no URL: that may name a patient. */
export type Answered = {
  readonly method: string;
  /** the resource type, when the path names one */
  readonly type: string | undefined;
  readonly status: number;
  readonly ms: number;
  readonly requestId: string | undefined;
  readonly client: string | undefined;
};

export type Log = {
  readonly logger: Logger;
  /** one line a request: written by hand, as it is on the way of all of them */
  readonly answered: (request: Answered) => void;
  /** resolves when all lines are written */
  readonly close: () => Promise<void>;
};

const quoted = (text: string): string => (/^[\w.:-]*$/.test(text) ? `"${text}"` : JSON.stringify(text));
const member = (name: string, text: string | undefined): string => (text === undefined ? '' : `,"${name}":${quoted(text)}`);

/** The log of this process on its standard output: JSON, a line an event, at most a tenth of a second late. */
export const openLog = (level: string): Log => {
  // with a length, so that it tells when all is written
  const out = destination({ fd: 1, sync: false, minLength: 1, maxWrite: logBytes });
  let lines: string[] = [];
  let letters = 0;
  const taken = (): string => {
    const text = lines.join('');
    [lines, letters] = [[], 0];
    return text;
  };
  const flush = (): void => {
    if (letters > 0) out.write(taken());
  };
  const write = (line: string): void => {
    lines.push(line);
    letters += line.length;
    if (letters >= logBytes) flush();
  };
  const flushing = setInterval(flush, logEveryMs);
  flushing.unref();
  // who ends without closing it keeps what was not being written already
  const exiting = (): void => {
    out.flushSync();
    if (letters > 0) writeSync(1, taken());
  };
  process.on('exit', exiting);
  const base = { pid: process.pid, hostname: hostname() };
  const logger = pino({ level, base }, { write });
  // many requests end in the same millisecond
  let [latest, latestText] = [Number.NaN, ''];
  const now = (): string => {
    const ms = Date.now();
    if (ms !== latest) [latest, latestText] = [ms, String(ms)];
    return latestText;
  };
  const info = `{"level":${String(logger.levels.values['info'])},"time":`;
  const who = `,${JSON.stringify(base).slice(1, -1)},"method":`;
  return {
    logger,
    answered: logger.isLevelEnabled('info')
      ? ({ method, type, status, ms, requestId, client }) => {
          // as one text: see audit/audit-line
          write(
            [
              info,
              now(),
              who,
              '"',
              method,
              '"',
              member('type', type),
              ',"status":',
              String(status),
              ',"ms":',
              String(Math.round(ms * 100) / 100),
              member('requestId', requestId),
              member('client', client),
              ',"msg":"request"}\n',
            ].join(''),
          );
        }
      : () => undefined,
    close: async () => {
      clearInterval(flushing);
      process.off('exit', exiting);
      flush();
      // a reader that has gone away is no reason not to stop
      await new Promise<void>((resolve) => {
        out.flush(() => {
          resolve();
        });
      });
    },
  };
};
