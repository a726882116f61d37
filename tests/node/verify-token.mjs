// Verifies an access token as another service would: with the jose of npm, by the keys that are published.
//   node verify-token.mjs <address of the keys> <token>
import { createRemoteJWKSet, jwtVerify } from 'jose';

const [address, token] = process.argv.slice(2);
const keys = createRemoteJWKSet(new URL(address));
const expected = { issuer: 'lintel', audience: 'lintel', algorithms: ['ES256'] };

const { payload, protectedHeader: header } = await jwtVerify(token, keys, expected);
const [head, body, signature] = token.split('.');
const changed = Buffer.from(JSON.stringify({ ...payload, sub: `${payload.sub}0` })).toString('base64url');
const forged = await jwtVerify(`${head}.${changed}.${signature}`, keys, expected).then(() => 'taken', (failure) => failure.code);
process.stdout.write(`${JSON.stringify({ header, payload, forged, was: body.length })}\n`);
