import type { Request } from '@hapi/hapi';

/** One header of a request, its name in lower case; undefined when it was not sent. */
export const header = (request: Request, name: string): string | undefined => request.headers[name] as string | undefined;
