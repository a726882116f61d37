// Watches a job over a WebSocket with ws of npm, as a browser would: a ticket in the address, no headers. When the proxy cuts the connection it comes back with the last id that it saw.
//   node watch-socket.mjs <server> <path> <token> <cut-after>
import WebSocket from 'ws';
import { cuttingProxy } from './cutting-proxy.mjs';

const [server, path, token, cutAfter] = process.argv.slice(2);
const say = (line, then) => process.stdout.write(`${JSON.stringify(line)}\n`, then);
const seen = { opened: 0, cut: 0, numbers: [], code: 0 };
const proxy = await cuttingProxy(new URL(server), { from: 'server', cutAfter: Number(cutAfter), onCut: () => (seen.cut += 1) });
let last;

async function connect() {
  const answer = await fetch(new URL('/auth/ws-ticket', server), {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ path }),
  });
  const { ticket } = await answer.json();
  const socket = new WebSocket(`ws://${proxy}${path}?ticket=${encodeURIComponent(ticket)}${last ? `&after=${encodeURIComponent(last)}` : ''}`);
  let isComplete = false;
  socket.on('open', () => (seen.opened += 1));
  socket.on('error', () => {});
  socket.on('message', (text) => {
    const message = JSON.parse(text);
    last = message.id ?? last;
    if (message.type === 'number') {
      seen.numbers.push(Number(message.text));
    }
    isComplete ||= message.type === 'complete';
  });
  socket.on('close', (code) => {
    if (isComplete) {
      say({ ...seen, code }, () => process.exit(0));
    } else {
      setTimeout(connect, 50);
    }
  });
}

await connect();
