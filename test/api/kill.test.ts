import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

const script = path.join(__dirname, '../../bench/kill.mjs');

it('a write that is cut off by kill -9 and sent again under the same ids happens once', async () => {
  // ends with 1, and this rejects, when something was lost, done twice or by half
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--points', '2'], { cwd: path.join(__dirname, '../..') });
  expect(stdout).toMatch(/^2 kills: /);
}, 600_000);
