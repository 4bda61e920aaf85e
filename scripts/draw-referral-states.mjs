/** Draws docs/referral-states.md from the transition table; run after `npm run build`. A test says when it is out of date. */
import { writeFileSync } from 'node:fs';
import { stateDiagram } from '../dist/domain/referral/state-diagram.js';

const text = `# The states of a referral

Drawn from \`src/domain/referral/transitions.ts\` by \`node scripts/draw-referral-states.mjs\`.

\`\`\`mermaid
${stateDiagram()}
\`\`\`
`;
writeFileSync(new URL('../docs/referral-states.md', import.meta.url), text);
