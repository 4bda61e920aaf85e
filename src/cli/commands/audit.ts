import { openKeyring } from '../../auth/keyring.js';
import { verifyAudit } from '../../audit/verify-audit.js';
import type { Environment } from '../command.js';
import { withStore } from '../with-store.js';

/** `audit verify`: exit 1 when a chain, a seal or an AuditEvent is not what it was. */
export const audit = async (words: readonly string[], environment: Environment): Promise<void> => {
  if (words[0] !== 'verify') throw new Error('say audit verify');
  await withStore(environment, async (store, { signingKeyDays }) => {
    const keys = await openKeyring({ store, clock: Date.now, rotationMs: signingKeyDays * 86_400_000 });
    const report = await verifyAudit(store, keys);
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
