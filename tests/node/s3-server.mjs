// An object store on a free port of this machine: s3rver, and what it lacks of uploads in parts, giving one up.
//   node s3-server.mjs <folder> <bucket>
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import S3rver from 's3rver';

const [folder, bucket] = process.argv.slice(2);
const s3 = new S3rver({ silent: true, directory: folder });
await s3.store.putBucket(bucket);
const answer = s3.callback();
const server = http.createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  const upload = url.searchParams.get('uploadId');
  if (request.method !== 'DELETE' || upload === null) {
    answer(request, response);
    return;
  }

  const parts = path.join(s3.store.getResourcePath(bucket, undefined, 'uploads'), path.basename(upload));
  const found = fs.existsSync(parts);
  fs.rmSync(parts, { recursive: true, force: true });
  response.writeHead(found ? 204 : 404).end();
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`));
