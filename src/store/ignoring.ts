/** For `catch`: refusals of the store that mean that another process wrote the same. Everything else is thrown. */
export const ignoring =
  (...expected: readonly (new (...parameters: never[]) => Error)[]) =>
  (error: unknown): void => {
    if (!expected.some((kind) => error instanceof kind)) throw error;
  };
