// Uploads a file with tus-js-client, through a proxy that cuts the connection once.
//   node tus-upload.mjs <endpoint> <token> <file> <store> <cut-after> [<stop-after>]
// After <cut-after> bytes towards the server the proxy closes both ends (0: never); after <stop-after> it passes nothing on any more and says so, for a test that ends this
// program in the middle. What was begun is remembered in <store>, where another run of this program finds it.
import fs from 'node:fs';
import path from 'node:path';
import tus from 'tus-js-client';
import { cuttingProxy } from './cutting-proxy.mjs';

const [endpoint, token, file, store, cutAfter, stopAfter = '0'] = process.argv.slice(2);
const server = new URL(endpoint);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const requests = [];

const proxy = await cuttingProxy(server, {
  from: 'client',
  cutAfter: Number(cutAfter),
  onCut: () => say({ event: 'cut' }),
  stopAfter: Number(stopAfter),
  onStop: () => say({ event: 'stopped' }),
});
const upload = new tus.Upload(fs.createReadStream(file), {
  endpoint: `http://${proxy}${server.pathname}`,
  headers: { Authorization: `Bearer ${token}` },
  metadata: { filename: path.basename(file), filetype: 'application/octet-stream' },
  retryDelays: [50, 100, 200, 400, 800, 1600, 3200],
  urlStorage: new tus.FileUrlStorage(store),
  storeFingerprintForResuming: true,
  removeFingerprintOnSuccess: true,
  fingerprint: async () => path.basename(file),
  uploadSize: fs.statSync(file).size,
  chunkSize: 4 * 1024 * 1024,
  onAfterResponse: (request, response) =>
    requests.push({ method: request.getMethod(), status: response.getStatus(), offset: response.getHeader('Upload-Offset') ?? null }),
  onError: (error) => {
    say({ event: 'error', message: String(error) });
    process.exit(1);
  },
  onSuccess: () => {
    say({ event: 'success', url: upload.url, requests });
    process.exit(0);
  },
});

const [previous] = await upload.findPreviousUploads();
if (previous) {
  // The address that it was begun under is that of a proxy that is gone.
  previous.uploadUrl = new URL(new URL(previous.uploadUrl).pathname, `http://${proxy}`).href;
  upload.resumeFromPreviousUpload(previous);
}

say({ event: 'begin', resumed: previous !== undefined });
upload.start();
