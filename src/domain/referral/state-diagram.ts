import { adviceTransitions } from '../advice/transitions.js';
import { referralEvents, transitionOf } from './transitions.js';

type Edge = { readonly ers: readonly string[]; readonly from: readonly string[]; readonly to: string };

/** A transition table as a mermaid state diagram: one arrow for each state that an event leaves. */
const diagramOf = (edges: Readonly<Record<string, Edge>>, ends: readonly string[]): string =>
  [
    'stateDiagram-v2',
    ...Object.entries(edges).flatMap(([event, { from, to, ers }]) => {
      const label = ers.length === 0 ? event : `${event} (${ers.join(', ')})`;
      const starts = from.length === 0 ? ['[*]'] : from;
      return starts.map((state) => `  ${state} --> ${to === 'same' ? state : to}: ${label}`);
    }),
    ...ends.map((state) => `  ${state} --> [*]`),
  ].join('\n');

/** The life of a referral. */
export const stateDiagram = (): string =>
  diagramOf(Object.fromEntries(referralEvents.map((event) => [event, transitionOf(event)])), ['CANCELLED_REFERRAL']);

/** The life of a request for advice. */
export const adviceDiagram = (): string => diagramOf(adviceTransitions, ['CONVERSATION_ENDED_CANCELLED', 'ADVICE_CONVERTED']);
