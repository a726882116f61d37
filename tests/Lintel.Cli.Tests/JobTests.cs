using System.Text.Json;
using Lintel.Cli.Infrastructure;

namespace Lintel.Cli;

/// <summary><c>lintel jobs</c>, and programs that were left alone.</summary>
public sealed class JobTests(CliServer server)
{
    [Fact]
    public async Task A_program_that_was_left_alone_is_watched_later_with_its_outputs_and_exit_code()
    {
        var home = await server.SignInAsync();
        home.Write("main.py", "import sys; print('out', input()); print('err', file=sys.stderr); sys.exit(9)");
        home.Write("in.txt", "typed");

        var started = await home.RunAsync(["run", "--detach", "--stdin", "in.txt", "main.py"]);
        var watched = await home.RunAsync(["jobs", "watch", started.Output.Trim()]);
        var events = await home.RunAsync(["jobs", "watch", "--json", started.Output.Trim()]);

        Assert.Equal(0, started.ExitCode);
        Assert.Equal((9, "out typed\n", "err\n"), (watched.ExitCode, watched.Output, watched.Errors));
        Assert.Equal("complete", JsonDocument.Parse(events.Output.TrimEnd('\n').Split('\n')[^1]).RootElement.GetProperty("event").GetString());
    }

    [Fact]
    public async Task A_job_is_listed_shown_and_cancelled()
    {
        var home = await server.SignInAsync();
        home.Write("main.py", "import time; print('up', flush=True); time.sleep(100)");
        var id = (await home.RunAsync(["run", "--detach", "--time", "100", "main.py"])).Output.Trim();
        using var watching = home.Start("jobs", "watch", id);
        Assert.Equal("up", await watching.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));

        var listed = await home.RunAsync(["jobs", "list", "--status", "running", "--kind", "execute"]);
        var shown = await home.RunAsync(["jobs", "show", id]);
        var cancelled = await home.RunAsync(["jobs", "cancel", id]);
        await watching.WaitForExitAsync(TestContext.Current.CancellationToken);
        var again = await home.RunAsync(["jobs", "cancel", id]);

        Assert.Contains($"{id}\texecute\trunning\t", listed.Output, StringComparison.Ordinal);
        Assert.Contains("status\trunning\n", shown.Output, StringComparison.Ordinal);
        Assert.Equal((0, 0), (cancelled.ExitCode, again.ExitCode));
        Assert.Equal(130, watching.ExitCode);
    }

    [Fact]
    public async Task Another_persons_job_is_not_there()
    {
        var owner = await server.SignInAsync();
        var other = await server.SignInAsync();
        var id = (await owner.RunAsync(["run", "--detach", owner.Write("main.py", "print(1)")])).Output.Trim();

        foreach (var command in (string[])["show", "watch", "cancel"])
        {
            var refused = await other.RunAsync(["jobs", command, id]);

            Assert.Equal((66, "", "lintel: You have no job of this id.\n"), (refused.ExitCode, refused.Output, refused.Errors));
        }
    }

    [Fact]
    public async Task A_batch_is_watched_like_one_that_was_just_sent()
    {
        var home = await server.SignInAsync();
        home.Write("beams.csv", "id,width,depth,moment,shear,fck,fy,cover\nB1,300,500,120,80,25,500,40\n");
        var sent = await home.RunAsync(["beams", "design", "beams.csv"]);
        var id = JsonDocument.Parse((await home.RunAsync(["jobs", "list", "--json"])).Output).RootElement.GetProperty("job_id").GetString()!;

        var watched = await home.RunAsync(["jobs", "watch", id]);

        Assert.Equal((sent.ExitCode, sent.Output, sent.Errors), (watched.ExitCode, watched.Output, watched.Errors));
    }

    [Fact]
    public async Task A_long_list_is_read_page_by_page()
    {
        var home = await server.SignInAsync();
        home.Write("main.py", "print(1)");
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(0, (await home.RunAsync(["run", "main.py"])).ExitCode);
        }

        var two = await home.RunAsync(["jobs", "list", "-n", "2"]);
        var all = await home.RunAsync(["jobs", "list", "-n", "1000"]);

        Assert.Equal((3, 4), (Lines(two), Lines(all)));

        static int Lines(CliResult result) => result.Output.TrimEnd('\n').Split('\n').Length;
    }

    [Fact]
    public async Task A_key_is_made_used_and_revoked()
    {
        var home = await server.SignInAsync();
        var made = await home.RunAsync(["keys", "create", "nightly", "--scope", "execute", "--expires", "2099-01-31"]);
        var key = made.Output.Trim();
        home.Write("main.py", "print('by key')");
        home.Environment["LINTEL_API_KEY"] = key;
        var run = await home.RunAsync(["run", "main.py"]);
        var beams = await home.RunAsync(["beams", "design", home.Write("beams.csv", "id,width\nB1,300\n")]);
        home.Environment["LINTEL_API_KEY"] = null;

        var listed = await home.RunAsync(["keys", "list"]);
        var id = listed.Output.Split('\n')[1].Split('\t')[0];
        var revoked = await home.RunAsync(["keys", "revoke", id]);
        home.Environment["LINTEL_API_KEY"] = key;
        var refused = await home.RunAsync(["run", "main.py"]);

        Assert.StartsWith("ltl_", key, StringComparison.Ordinal);
        Assert.Equal((0, "by key\n"), (run.ExitCode, run.Output));
        Assert.Equal(77, beams.ExitCode);
        Assert.Contains("\tnightly\tltl_", listed.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(key, listed.Output, StringComparison.Ordinal);
        Assert.Equal((0, 77), (revoked.ExitCode, refused.ExitCode));
    }

    [Fact]
    public async Task In_a_narrow_window_an_id_is_in_one_piece()
    {
        var home = await server.SignInAsync();
        home.Environment["TERM"] = "dumb";
        var id = (await home.RunAsync(["run", "--detach", home.Write("main.py", "print(1)")])).Output.Trim();
        Assert.Equal(0, (await home.RunAsync(["keys", "create", "nightly", "--scope", "execute"])).ExitCode);
        var key = JsonDocument.Parse((await home.RunAsync(["keys", "list", "--json"])).Output).RootElement.GetProperty("id").GetString()!;
        using var shell = home.StartShell($"stty cols 80; for group in jobs keys; do '{Path.Combine(AppContext.BaseDirectory, "lintel")}' $group list; done");

        Assert.Equal(0, await shell.Exited);
        await shell.ShowsAsync("nightly");
        Assert.Contains($"\n{id}  execute  ", shell.Shown, StringComparison.Ordinal);
        Assert.Contains($"\n{key}  nightly  ", shell.Shown, StringComparison.Ordinal);
        Assert.DoesNotContain("error", shell.Shown, StringComparison.Ordinal);
        Assert.All(shell.Shown.Split("\r\n"), static line => Assert.InRange(line.Length, 0, 80));
    }

    [Fact]
    public async Task Lists_for_programs_are_the_servers_own_words_one_item_a_line()
    {
        var home = await server.SignInAsync();
        var id = (await home.RunAsync(["run", "--detach", home.Write("main.py", "print(1)")])).Output.Trim();
        Assert.Equal(66, (await home.RunAsync(["jobs", "show", "00000000-0000-0000-0000-000000000000"])).ExitCode);
        await home.RunAsync(["jobs", "watch", id]);

        var listed = await home.RunAsync(["jobs", "list", "--json"]);
        var shown = await home.RunAsync(["jobs", "show", "--json", id]);

        Assert.Equal(shown.Output, listed.Output);
        Assert.EndsWith("Z", JsonDocument.Parse(listed.Output).RootElement.GetProperty("created_at").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Languages_are_listed_with_their_versions()
    {
        var home = await server.SignInAsync();

        var installed = await home.RunAsync(["languages"]);
        var all = await home.RunAsync(["languages", "--all", "--json"]);

        Assert.Contains("\npython\tPython\t3.", installed.Output, StringComparison.Ordinal);
        Assert.True(all.Output.TrimEnd('\n').Split('\n').Select(static line => JsonDocument.Parse(line).RootElement.GetProperty("id").GetString()).Distinct().Count() >= 14);
    }
}
