#!/usr/bin/env node
import { playJourney } from './journey.js';
import { originOf, readConfig } from '../config.js';

const config = readConfig(process.env);
try {
  await playJourney({ baseUrl: originOf(config), keys: `${config.dataDir}/clients`, say: (line) => process.stdout.write(`${line}\n`) });
} catch (error) {
  process.stderr.write(`\nThe demo stopped: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
