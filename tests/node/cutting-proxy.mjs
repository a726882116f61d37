// A proxy that breaks connections, as networks do.
import net from 'node:net';

// Passes on to <server> (a URL) and returns its own host and port. It counts the bytes that come from one end:
//   from       'client' or 'server'
//   cutAfter   so many, and both ends of the connection are closed, once; onCut is called (0: never)
//   stopAfter  so many, and nothing more is passed on; onStop is called (0: never)
export async function cuttingProxy(server, { from, cutAfter = 0, onCut, stopAfter = 0, onStop }) {
  let passed = 0;
  let cut = cutAfter;
  const proxy = net.createServer((client) => {
    const upstream = net.connect(Number(server.port), server.hostname);
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    const pass = (source, target, counts) => {
      source.on('error', end).on('close', end).on('data', (bytes) => {
        passed += counts ? bytes.length : 0;
        if (stopAfter > 0 && passed > stopAfter) {
          source.pause();
          onStop();
        } else if (cut > 0 && passed > cut) {
          cut = 0;
          onCut();
          end();
        } else {
          target.write(bytes);
        }
      });
    };
    pass(client, upstream, from === 'client');
    pass(upstream, client, from === 'server');
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${proxy.address().port}`;
}
