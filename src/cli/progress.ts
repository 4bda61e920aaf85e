const wide = 30;
const silentMs = 2000;
const everyMs = 200;

export type Progress = { readonly at: (done: number, what: string, total?: number) => void; readonly end: () => void };

/**
 * A line on stderr that shows how far a command is, from its third second on; none where stderr is no terminal, so that scripts and logs
 * stay clean. Without a total it only counts.
 */
export const startProgress = (stream: NodeJS.WriteStream = process.stderr): Progress => {
  const started = performance.now();
  let shown = 0;
  let drawn = false;
  return {
    at: (done, what, total) => {
      const now = performance.now();
      if (!stream.isTTY || now - started < silentMs || now - shown < everyMs) return;
      shown = now;
      drawn = true;
      const part = total === undefined ? undefined : Math.min(1, done / total);
      const bar = part === undefined ? '' : `[${'#'.repeat(Math.round(part * wide)).padEnd(wide)}] ${String(Math.floor(part * 100))} % `;
      stream.write(`\r\u001b[K${bar}${done.toLocaleString('en-GB')} ${what}`);
    },
    end: () => {
      if (drawn) stream.write('\r\u001b[K');
    },
  };
};
