import type { worklistRules } from '../../access/operation-rules.js';

export type WorklistName = keyof typeof worklistRules;
