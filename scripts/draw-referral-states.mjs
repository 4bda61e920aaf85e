/** Draws docs/referral-states.md from the transition tables; run after `npm run build`. A test says when it is out of date. */
import { writeFileSync } from 'node:fs';
import { adviceDiagram, stateDiagram } from '../dist/domain/referral/state-diagram.js';

const text = `# The states of a referral

Drawn from \`src/domain/referral/transitions.ts\` by \`node scripts/draw-referral-states.mjs\`.

\`\`\`mermaid
${stateDiagram()}
\`\`\`

# The states of a request for advice

Drawn from \`src/domain/advice/transitions.ts\`. CONVERSATION_ENDED_CLOSED is reached by no operation of the e-RS API: a practice closes a conversation in e-RS itself, here a
system client writes it.

\`\`\`mermaid
${adviceDiagram()}
\`\`\`
`;
writeFileSync(new URL('../docs/referral-states.md', import.meta.url), text);
