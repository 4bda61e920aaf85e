#!/usr/bin/env node
import { commands, help, refuseUnknown } from './commands.js';

const [name, ...words] = process.argv.slice(2);
if (name === undefined || name === '--help' || name === 'help' || words.includes('--help')) {
  process.stdout.write(help(name));
} else {
  const command = commands.find((candidate) => candidate.name === name);
  if (command) {
    try {
      refuseUnknown(command, words);
      await command.run(words, process.env);
    } catch (error) {
      process.stderr.write(`referral-server ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    }
  } else {
    process.stderr.write(`referral-server has no command ${name}.\n\n${help(undefined)}`);
    process.exitCode = 2;
  }
}
