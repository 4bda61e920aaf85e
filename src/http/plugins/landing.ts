import type { Plugin } from '@hapi/hapi';

const page = (version: string): string => `<!doctype html>
<html lang="en-GB">
<head><meta charset="utf-8"><title>Referral server</title>
<style>body{font:1.1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;color:#212b32}a{color:#005eb8}</style></head>
<body>
<h1>Referral server</h1>
<p>An open FHIR R4 server for NHS e-Referrals: find a clinic, refer, book, review. Version ${version}.</p>
<ul>
<li><a href="/FHIR/R4/metadata">What this server offers</a> (CapabilityStatement)</li>
<li><a href="/FHIR/R4/.well-known/smart-configuration">How to get a token</a> (SMART Backend Services discovery)</li>
<li><a href="/oauth2/jwks">Public keys of its access tokens</a></li>
<li><a href="/health/ready">Is it ready?</a></li>
</ul>
</body></html>`;

/** The page for people who open the server in a browser. */
export const landing = (version: string): Plugin<undefined> => ({
  name: 'landing',
  register: (server) => {
    server.route({ method: 'GET', path: '/', handler: (_request, h) => h.response(page(version)).type('text/html; charset=utf-8') });
  },
});
