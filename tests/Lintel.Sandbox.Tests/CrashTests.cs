using System.Diagnostics;
using System.Globalization;
using Lintel.Sandbox.Infrastructure;

namespace Lintel.Sandbox;

public sealed class CrashTests
{
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
}
