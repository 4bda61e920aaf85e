/** Work that a server does again and again while it runs. */
export type Round = {
  readonly everyMs: number;
  /** what the log says when it fails; the next round tries again */
  readonly trouble: string;
  readonly work: () => Promise<unknown>;
};

/**
 * Walks each round at its own pace, none beside itself: a round that takes longer than its pace is passed over. They keep no process alive.
 *
 * @returns what ends them: it resolves when the work that runs is done, so that the store may be closed after it
 */
export const startRounds = (rounds: readonly Round[], failed: (error: unknown, trouble: string) => void): (() => Promise<void>) => {
  const running = new Map<Round, Promise<unknown>>();
  const walk = (round: Round): void => {
    if (running.has(round)) return;
    const walked = round
      .work()
      .catch((error: unknown) => {
        failed(error, round.trouble);
      })
      .finally(() => running.delete(round));
    running.set(round, walked);
  };
  const timers = rounds.map((round) =>
    setInterval(() => {
      walk(round);
    }, round.everyMs).unref(),
  );
  return async () => {
    timers.forEach(clearInterval);
    await Promise.all(running.values());
  };
};
