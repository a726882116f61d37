using System.Diagnostics;
using System.Globalization;
using Lintel.Sandbox.Infrastructure;
using Lintel.Sandbox.Native;

namespace Lintel.Sandbox;

public sealed class CrashTests
{
    // Numbers of Linux.
    private const int Continue = 18, Stop = 19;

    [Fact]
    public async Task A_server_that_is_killed_takes_its_guests_along()
    {
        var cancel = TestContext.Current.CancellationToken;
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList =
            {
                "exec", Path.Combine(AppContext.BaseDirectory, "Lintel.Sandbox.Tests.dll"), "host",
                "bash", "-c", "trap '' TERM HUP INT; (setsid sleep 55 &) ; sleep 55 & echo ready; wait",
            },
            UseShellExecute = false,
            RedirectStandardOutput = true,
        };
        using var server = Process.Start(start)!;

        try
        {
            var uid = uint.Parse((await server.StandardOutput.ReadLineAsync(cancel))!, CultureInfo.InvariantCulture);
            Assert.Equal("ready", await server.StandardOutput.ReadLineAsync(cancel));
            var guests = HostProcesses.FindGuests(uid).Select(guest => Process.GetProcessById(guest.Pid)).ToList();
            Assert.True(guests.Count >= 3, $"Only {guests.Count} processes are in the sandbox.");

            server.Kill();
            await server.WaitForExitAsync(cancel);

            foreach (var guest in guests)
            {
                await guest.WaitForExitAsync(cancel).WaitAsync(TimeSpan.FromSeconds(10), cancel);
            }

            HostProcesses.AssertNoGuests(uid);
        }
        finally
        {
            if (!server.HasExited)
            {
                server.Kill();
            }
        }
    }

    [Fact]
    public async Task A_server_that_is_killed_while_it_starts_programs_leaves_none()
    {
        var cancel = TestContext.Current.CancellationToken;

        for (var round = 0; round < 3; round++)
        {
            var mark = $"mark-{Guid.CreateVersion7():N}";
            var start = new ProcessStartInfo("dotnet")
            {
                ArgumentList = { "exec", Path.Combine(AppContext.BaseDirectory, "Lintel.Sandbox.Tests.dll"), "storm", mark },
                UseShellExecute = false,
                RedirectStandardOutput = true,
            };
            using var server = Process.Start(start)!;

            try
            {
                Assert.Equal("ready", await server.StandardOutput.ReadLineAsync(cancel));

                // Frozen until a sandbox is found half made: it has come to where it waits for the server, and still waits. No signal tells of that.
                for (var looks = 1; ; looks++)
                {
                    Assert.Equal(0, Libc.kill(server.Id, Continue));
                    await Task.Delay(20, cancel);
                    Assert.Equal(0, Libc.kill(server.Id, Stop));
                    await Task.Delay(100, cancel);
                    if (HostProcesses.CountWith(mark) > 0)
                    {
                        break;
                    }

                    Assert.True(looks < 500, "No sandbox was ever half made.");
                }
            }
            finally
            {
                server.Kill();
                await server.WaitForExitAsync(cancel);
            }

            for (var waited = Stopwatch.StartNew(); HostProcesses.CountWith(mark) > 0; await Task.Delay(10, cancel))
            {
                Assert.True(waited.Elapsed < TimeSpan.FromSeconds(10), $"{HostProcesses.CountWith(mark)} processes are left.");
            }
        }
    }
}
