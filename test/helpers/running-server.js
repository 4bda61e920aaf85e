import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createApp } from '../../src/app.js';
import { fetchToken } from '../../src/auth/client-token.js';
import { readConfig } from '../../src/config.js';
const clients = {
    system: 'demo-system',
    gp: 'demo-gp',
    provider: 'demo-provider',
    patient: 'demo-patient-app',
    app: 'demo-provider-app',
};
const ersHeaders = {
    gp: { 'NHSD-End-User-Organisation-ODS': 'D82106', 'NHSD-eRS-Business-Function': 'REFERRING_CLINICIAN' },
    provider: { 'NHSD-End-User-Organisation-ODS': 'RCD', 'NHSD-eRS-Business-Function': 'SERVICE_PROVIDER_CLINICIAN' },
};
const parsed = (text) => {
    try {
        return JSON.parse(text);
    }
    catch {
        return {};
    }
};
/** A whole server on a free port, with demo data of its own in a temporary folder. */
export const startServer = async (settings = {}) => {
    const dataDir = settings['DATA_DIR'] ?? mkdtempSync(path.join(tmpdir(), 'referrals-'));
    const app = await createApp(readConfig({ PORT: '0', DATA_DIR: dataDir, LOG_LEVEL: 'silent', DRAIN_MS: '100', ...settings }));
    await app.server.start();
    const tokens = new Map();
    const tokenOf = (role) => {
        const known = tokens.get(role) ??
            fetchToken({
                clientId: clients[role],
                keyFile: `${dataDir}/clients/${clients[role]}.jwk.json`,
                tokenUrl: `${app.baseUrl}/oauth2/token`,
            });
        tokens.set(role, known);
        return known;
    };
    return {
        app,
        dataDir,
        base: `${app.baseUrl}/FHIR/R4`,
        as: async (role, method, url, body, headers = {}) => {
            const authorization = role === 'nobody' ? {} : { authorization: `Bearer ${await tokenOf(role)}` };
            const response = await fetch(url.startsWith('http') ? url : `${app.baseUrl}${url.startsWith('/') ? url : `/FHIR/R4/${url}`}`, {
                method,
                headers: {
                    ...(body === undefined ? {} : { 'content-type': 'application/fhir+json' }),
                    ...authorization,
                    ...ersHeaders[role],
                    ...headers,
                },
                ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
            });
            const text = await response.text();
            return { status: response.status, headers: response.headers, text, json: parsed(text) };
        },
        stop: async () => {
            await app.close();
            if (settings['DATA_DIR'] === undefined)
                rmSync(dataDir, { recursive: true, force: true });
        },
    };
};
/** The one entry's resources of a type in a Bundle. */
export const resourcesOf = (bundle, type) => (bundle['entry'] ?? []).flatMap(({ resource }) => resource && (type === undefined || resource['resourceType'] === type) ? [resource] : []);
