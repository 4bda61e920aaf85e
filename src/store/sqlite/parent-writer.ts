import { Unanswered, type UnitWriter } from './unit-writer.js';
import type { FromWriter } from './messages.js';
import type { Unit } from '../port.js';
import { refusalOf } from './refusals.js';

/** What passes between a server process and the one that started it and writes for all of them. */
export type UnitMessage = { readonly kind: 'unit'; readonly id: number; readonly unit: Unit };
export type UnitAnswer = { readonly kind: 'unit-answer' } & FromWriter;

const isUnit = (message: unknown): message is UnitMessage => (message as { kind?: unknown } | null)?.kind === 'unit';
const isAnswer = (message: unknown): message is UnitAnswer => (message as { kind?: unknown } | null)?.kind === 'unit-answer';

/** In a server process: units go to the parent, which has the one writer. */
export const parentWriter = (): UnitWriter => {
  const unanswered = new Unanswered();
  process.on('message', (message: unknown) => {
    if (isAnswer(message)) unanswered.settle(message);
  });
  process.on('disconnect', () => {
    unanswered.break(new Error('the writing process has stopped'));
  });
  return {
    commit: (unit) =>
      unanswered.send((id) => {
        process.send?.({ kind: 'unit', id, unit } satisfies UnitMessage);
      }),
    broken: () => unanswered.broken(),
    close: () => Promise.resolve(),
  };
};

/** In the parent: writes what a server process sends, and answers it. */
export const serveUnits = (
  child: {
    on: (event: 'message', listener: (message: unknown) => void) => unknown;
    send: (message: UnitAnswer) => void;
    isConnected: () => boolean;
  },
  writer: UnitWriter,
): void => {
  child.on('message', (message) => {
    if (!isUnit(message)) return;
    const answer = (refusal?: FromWriter['refusal']): void => {
      if (child.isConnected()) child.send({ kind: 'unit-answer', id: message.id, ...(refusal ? { refusal } : {}) });
    };
    writer.commit(message.unit).then(
      () => {
        answer();
      },
      (error: unknown) => {
        answer(refusalOf(error));
      },
    );
  });
};
