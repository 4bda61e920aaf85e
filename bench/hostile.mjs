// A hostile client with tokens of its own, against two server processes over one store: plays every attack below, prints what it tried, and
// stops with exit code 1 at the first thing that gets through. Usage: npm run bench:hostile [-- --only reads,tokens] [--flood 100000]
// What answers take ("not there" against "not yours") is measured by bench:security.
import { rmSync } from 'node:fs';
import { floods } from './hostile/floods.mjs';
import { keySets } from './hostile/key-sets.mjs';
import { reads } from './hostile/reads.mjs';
import { requests } from './hostile/requests.mjs';
import { tokens } from './hostile/tokens.mjs';
import { openWorld } from './hostile/world.mjs';

const option = (name, standard) => Number(process.argv[process.argv.indexOf(`--${name}`) + 1]) || standard;
const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1].split(',') : undefined;
const sizes = { flood: option('flood', 100_000) };
const groups = { tokens, 'key-sets': keySets, reads, requests, floods };

const world = await openWorld();
const row = (...cells) => console.log(cells.map((cell, index) => String(cell).padEnd([10, 62, 7, 8][index] ?? 0)).join(' '));
row('group', 'attack', 'tries', 'seconds', 'outcome');
let failed = false;
try {
  for (const [group, plays] of Object.entries(groups)) {
    if (only && !only.includes(group)) continue;
    for (const [name, play] of plays) {
      const started = performance.now();
      const seconds = () => ((performance.now() - started) / 1000).toFixed(1);
      try {
        const { tries, told = 'refused' } = await play(world, sizes);
        row(group, name, tries, seconds(), told);
      } catch (error) {
        row(group, name, '-', seconds(), `GOT THROUGH: ${error.message}`);
        throw error;
      }
    }
  }
} catch {
  failed = true;
} finally {
  await world.stop();
  rmSync(world.data, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
