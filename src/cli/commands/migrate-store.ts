import { copyStore } from '../../store/copy/copy-store.js';
import { openCopySource, openCopyTarget } from '../../store/open-store.js';
import { option } from '../command.js';
import { startProgress } from '../progress.js';

/** `migrate-store`: all of one store into another; run again, it goes on where it was cut off. */
export const migrateStore = async (words: readonly string[]): Promise<void> => {
  const from = option(words, 'from');
  const to = option(words, 'to');
  if (from === undefined || to === undefined) throw new Error('say --from sqlite:<file> --to mssql://..., or the other way round');
  const source = await openCopySource(from);
  try {
    const target = await openCopyTarget(to);
    try {
      const progress = startProgress();
      const report = await copyStore(source, target, (done, total, what) => {
        progress.at(done, what, total);
      });
      progress.end();
      if (words.includes('--json')) process.stdout.write(`${JSON.stringify({ from: source.name, to: target.name, ...report })}\n`);
      else
        process.stdout.write(
          `${String(report.rows)} rows of ${source.name} are in ${target.name}, counted and compared, after ${report.seconds.toFixed(1)} s.\n`,
        );
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
};
