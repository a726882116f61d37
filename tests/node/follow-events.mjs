// Follows a job's events with the EventSource of npm, through a proxy that cuts the connection once; the client reconnects by itself.
//   node follow-events.mjs <address of the events> <token> <cut-after>
import { EventSource } from 'eventsource';
import { cuttingProxy } from './cutting-proxy.mjs';

const [address, token, cutAfter] = process.argv.slice(2);
const events = new URL(address);
const say = (line, then) => process.stdout.write(`${JSON.stringify(line)}\n`, then);
const seen = { opened: 0, cut: 0, numbers: [], ids: [] };

const proxy = await cuttingProxy(events, { from: 'server', cutAfter: Number(cutAfter), onCut: () => (seen.cut += 1) });
const source = new EventSource(`http://${proxy}${events.pathname}`, {
  fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, Authorization: `Bearer ${token}` } }),
});
source.addEventListener('open', () => (seen.opened += 1));
source.addEventListener('number', (event) => {
  seen.numbers.push(Number(JSON.parse(event.data).text));
  seen.ids.push(event.lastEventId);
});
source.addEventListener('complete', () => {
  source.close();
  say(seen, () => process.exit(0));
});
