export type TokenAnswer = { readonly token: string; readonly expiresInSeconds: number };

/** ms before its end at which a token is replaced */
const spareMs = 30_000;

/** One access token, fetched when it is first needed and again shortly before it ends; one fetch at a time. */
export class AccessTokens {
  private token: string | undefined;
  private goodUntil = Number.NEGATIVE_INFINITY;
  private running: Promise<string> | undefined;

  /** @param fetchToken throws when no token can be had. @param clock epoch ms */
  constructor(
    private readonly fetchToken: () => Promise<TokenAnswer>,
    private readonly clock: () => number,
  ) {}

  get(): Promise<string> {
    if (this.token !== undefined && this.clock() < this.goodUntil) return Promise.resolve(this.token);
    return (this.running ??= this.refresh().finally(() => {
      this.running = undefined;
    }));
  }

  /** The partner refused it: the next call gets another. */
  forget(): void {
    this.token = undefined;
  }

  private async refresh(): Promise<string> {
    const { token, expiresInSeconds } = await this.fetchToken();
    this.token = token;
    this.goodUntil = this.clock() + expiresInSeconds * 1000 - spareMs;
    return token;
  }
}
