// An OpenID provider: oidc-provider of npm. Whoever names themselves at its login page is that person, and the name is their e-mail address.
//   node openid-provider.mjs <where it sends browsers back to> <client secret>
import { createServer } from 'node:http';

// What it has to say to its operator must not be taken for what the test waits for.
console.info = console.warn = console.error;
const { Provider } = await import('oidc-provider');

const [redirectUri, secret] = process.argv.slice(2);
const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: [{ client_id: 'lintel', client_secret: secret, redirect_uris: [redirectUri], grant_types: ['authorization_code'], response_types: ['code'] }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  pkce: { required: () => true },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: id, email_verified: !id.startsWith('unverified'), name: 'Mason\r\nBcc: all@example.com' }),
  }),
});
server.on('request', provider.callback());
process.stdout.write(`${JSON.stringify({ issuer })}\n`);
