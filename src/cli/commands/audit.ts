import { readFile } from 'node:fs/promises';
import { openKeyring } from '../../auth/keyring.js';
import { verifyAudit } from '../../audit/verify-audit.js';
import { option, type Environment } from '../command.js';
import { withStore } from '../with-store.js';

/** The seals in a file: one a line, alone or in the server's log. */
const readSeals = async (file: string): Promise<readonly string[]> =>
  (await readFile(file, 'utf8')).split('\n').flatMap((line) => /(?:^|"seal":")([\w-]+\.[\w-]+\.[\w-]+)/.exec(line.trim())?.[1] ?? []);

/** `audit verify`: exit 1 when a chain, a seal or an AuditEvent is not what it was. */
export const audit = async (words: readonly string[], environment: Environment): Promise<void> => {
  if (words[0] !== 'verify') throw new Error('say audit verify');
  await withStore(environment, async (store, { signingKeyDays }) => {
    const keys = await openKeyring({ store, clock: Date.now, rotationMs: signingKeyDays * 86_400_000 });
    const file = option(words, 'seals');
    const report = await verifyAudit(store, keys, file === undefined ? [] : await readSeals(file));
    if (report.faults.length > 0) process.exitCode = 1;
    if (words.includes('--json')) {
      process.stdout.write(`${JSON.stringify(report)}\n`);
      return;
    }
    const { chains, links, events, seals, faults } = report;
    const counted = `${String(events)} events in ${String(links)} links of ${String(chains)} chains, ${String(seals)} seals`;
    process.stdout.write(faults.length === 0 ? `The audit trail is whole: ${counted}.\n` : `${faults.join('\n')}\n${counted}\n`);
  });
};
