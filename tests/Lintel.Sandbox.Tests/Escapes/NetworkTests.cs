using System.Net;
using System.Net.Sockets;
using Lintel.Sandbox.Infrastructure;

namespace Lintel.Sandbox.Escapes;

public sealed class NetworkTests(SandboxFixture sandbox)
{
    [Fact]
    public async Task The_hosts_sockets_are_out_of_reach()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var name = $"lintel-test-{port}";
        using var unix = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        unix.Bind(new UnixDomainSocketEndPoint('\0' + name));
        unix.Listen();

        var guest = await sandbox.RunPythonAsync($$"""
            import errno, socket
            def connect(family, address):
                try:
                    with socket.socket(family) as attempt:
                        attempt.settimeout(5)
                        attempt.connect(address)
                        return 'connected'
                except OSError as error:
                    return errno.errorcode[error.errno]
            print(connect(socket.AF_INET, ('127.0.0.1', {{port}})))
            print(connect(socket.AF_UNIX, '\0{{name}}'))
            print(connect(socket.AF_INET, ('192.0.2.1', 80)))
            print([name for _, name in socket.if_nameindex()], len(open('/proc/net/route').readlines()) - 1)
            """);
        guest.Printed("ECONNREFUSED\nECONNREFUSED\nENETUNREACH\n['lo'] 0");
    }

    [Fact]
    public async Task Families_that_no_namespace_covers_are_refused()
    {
        var guest = await sandbox.RunPythonAsync("""
            import ctypes, errno
            libc = ctypes.CDLL(None, use_errno=True)
            for name, family in [('VSOCK', 40), ('ALG', 38), ('PACKET', 17), ('KEY', 15), ('BLUETOOTH', 31), ('TIPC', 30), ('XDP', 44)]:
                for result in (libc.socket(family, 3, 0), libc.socketpair(family, 1, 0, (ctypes.c_int * 2)())):
                    code = errno.errorcode[ctypes.get_errno()]
                    if result >= 0 or code != 'EAFNOSUPPORT':
                        print(name, result, code)
            print([libc.socket(family, 1, 0) >= 0 for family in (1, 2, 10)])
            """);
        guest.Printed("[True, True, True]");
    }
}
