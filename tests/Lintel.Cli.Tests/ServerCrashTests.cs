using Lintel.Cli.Infrastructure;

namespace Lintel.Cli;

/// <summary>A server of its own, that is killed in the middle of things.</summary>
public sealed class ServerCrashTests : IAsyncLifetime
{
    private readonly CliServer _server = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _server.InitializeAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task What_became_of_a_program_is_told_once_the_server_is_back()
    {
        var home = await _server.SignInAsync();
        home.Write("main.py", "import time; print('begun', flush=True); time.sleep(100)");
        using var process = home.Start("run", "--time", "100", "main.py");
        process.StandardInput.Close();
        Assert.Equal("begun", await process.StandardOutput.ReadLineAsync(Cancel));

        await _server.CrashAsync();

        var errors = await process.StandardError.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        Assert.Equal((69, ""), (process.ExitCode, await process.StandardOutput.ReadToEndAsync(Cancel)));
        Assert.Contains("lintel: The connection broke.", errors, StringComparison.Ordinal);
        Assert.EndsWith("lintel: The job ended with the server that ran it, and one of its kind is not begun twice; run it again.\n", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("nothing was lost", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_batch_goes_on_where_it_was()
    {
        const int Count = 20_000;
        var home = await _server.SignInAsync();
        home.Write("tower.csv", "id,width,depth,moment,shear,fck,fy,cover\n" + string.Concat(Enumerable.Range(0, Count).Select(static i => $"T{i},300,500,120,80,25,500,40\n")));
        using var process = home.Start("beams", "design", "tower.csv", "--csv");
        var errors = process.StandardError.ReadToEndAsync(Cancel);
        var beams = new List<string>();
        var crash = Task.CompletedTask;
        while (await process.StandardOutput.ReadLineAsync(Cancel) is { } line)
        {
            beams.Add(line.Split(',')[0]);
            if (beams.Count == 1000)
            {
                crash = _server.CrashAsync();
            }
        }

        await crash;
        await process.WaitForExitAsync(Cancel);

        Assert.Equal(0, process.ExitCode);
        Assert.Equal(Enumerable.Range(0, Count).Select(static i => $"T{i}").Prepend("beam"), beams);
        Assert.EndsWith($"{Count} PASS, 0 FAIL, 0 refused", (await errors).Split(", in ")[0], StringComparison.Ordinal);
    }
}
