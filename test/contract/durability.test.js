import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.js';
const script = path.join(__dirname, '../helpers/writing-process.mjs');
const root = mkdtempSync(path.join(tmpdir(), 'durable-'));
afterAll(() => {
    rmSync(root, { recursive: true, force: true });
});
/** Lets the process write for `ms` after it is ready, kills it, and gives the acknowledged ids. */
const writeAndKill = (command, ms) => new Promise((resolve, reject) => {
    const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let out = '';
    let killing = false;
    child.stdout.on('data', (chunk) => {
        out += chunk.toString();
        if (killing || !out.startsWith('ready\n'))
            return;
        killing = true;
        setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), ms);
    });
    child.on('error', reject);
    // the last line may be cut: only whole lines were acknowledged
    child.on('close', () => {
        resolve(out.split('\n').slice(1, -1));
    });
});
it('kill -9 loses no acknowledged write and leaves no half unit', async () => {
    const file = path.join(root, 'killed.db');
    const acknowledged = [];
    for (let round = 0; round < 4; round++)
        acknowledged.push(...(await writeAndKill([process.execPath, script, file, String(round), '16'], 150 + round * 100)));
    expect(acknowledged.length).toBeGreaterThan(100);
    const store = await openSqliteStore({ path: file, integrity: true });
    for (const id of acknowledged) {
        expect(await store.find({ type: 'Patient', id }, 'all')).toBeDefined();
        expect(await store.findClaim('identifier', id)).toBeDefined();
    }
    const patients = await store.count({ type: 'Patient', where: [], sort: [], count: 1 }, 'all', Number.MAX_SAFE_INTEGER);
    expect(await store.count({ type: 'Task', where: [], sort: [], count: 1 }, 'all', Number.MAX_SAFE_INTEGER)).toBe(patients);
    await store.close();
}, 60_000);
const strace = (() => {
    try {
        execFileSync('strace', ['-f', '-o', '/dev/null', 'true'], { stdio: 'ignore' });
        return true;
    }
    catch {
        return false;
    }
})();
if (!strace)
    console.log('skipped: the log is synced before the acknowledgement (needs strace: apt-get install strace)');
(strace ? it : it.skip)('the log is synced between the last write of a group and its first acknowledgement', async () => {
    const file = path.join(root, 'traced.db');
    const trace = path.join(root, 'trace');
    await writeAndKill(['strace', '-f', '-y', '-e', 'trace=pwrite64,write,fdatasync,fsync', '-o', trace, process.execPath, script, file, 't', '1'], 1500);
    // one writer: it writes, and is acknowledged, and only then writes again
    let unsynced = false;
    let syncs = 0;
    let acknowledged = 0;
    for (const line of readFileSync(trace, 'utf8').split('\n')) {
        if (/pwrite64\(\d+<[^>]*traced\.db-wal>/.test(line))
            unsynced = true;
        else if (/f(data)?sync\(\d+<[^>]*traced\.db-wal>/.test(line)) {
            unsynced = false;
            syncs++;
        }
        else if (/write\(1<[^>]*>, "t-\d+/.test(line)) {
            acknowledged++;
            expect(unsynced).toBe(false);
            expect(syncs).toBeGreaterThanOrEqual(acknowledged);
        }
    }
    expect(acknowledged).toBeGreaterThan(10);
}, 60_000);
