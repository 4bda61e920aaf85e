import { createServer as createPlain, type Server as Plain } from 'node:http';
import { createServer as createSecure, type Server as Secure } from 'node:https';

/** What the certificate files hold, in PEM; `ca` demands client certificates of these authorities. */
export type Tls = { readonly cert: string; readonly key: string; readonly ca?: string };

/**
 * Limits of a connection, in ms. Node looks only now and then whether they are over, every half minute unless told: whoever sends his headers
 * a byte at a time would live that much longer. An upload has ten minutes, everything else what its route gives it.
 */
const limits = { headersTimeout: 10_000, requestTimeout: 620_000, connectionsCheckingInterval: 1000 } as const;
/** ms for the handshake; Node's own is two minutes */
const handshakeTimeout = 10_000;
const mostHeaders = 100;

/** The listener that hapi is given, with time limits of its own; it speaks TLS 1.2 or 1.3 when there is a certificate. */
export const createListener = (tls: Tls | undefined): Plain | Secure => {
  const listener =
    tls === undefined
      ? createPlain(limits)
      : createSecure({
          ...limits,
          handshakeTimeout,
          cert: tls.cert,
          key: tls.key,
          minVersion: 'TLSv1.2',
          ...(tls.ca === undefined ? {} : { ca: tls.ca, requestCert: true, rejectUnauthorized: true }),
        });
  listener.maxHeadersCount = mostHeaders;
  return listener;
};
