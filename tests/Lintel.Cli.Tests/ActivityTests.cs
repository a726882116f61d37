using System.Text.Json;
using Lintel.Cli.Infrastructure;

namespace Lintel.Cli;

/// <summary>What happened to accounts, listed and as it happens.</summary>
public sealed class ActivityTests(CliServer server)
{
    [Fact]
    public async Task Everybody_sees_what_happened_to_their_own_account()
    {
        var home = await server.SignInAsync();
        await server.SignInAsync();

        var table = await home.RunAsync(["activity"]);
        var json = await home.RunAsync(["activity", "--json", "--limit", "1"]);

        var rows = table.Output.TrimEnd('\n').Split('\n').Select(static line => line.Split('\t')).ToArray();
        Assert.Equal((0, ""), (table.ExitCode, table.Errors));
        Assert.Equal(["time", "event", "account", "by", "address", "details", "program"], rows[0]);
        Assert.Equal([("session.opened", "you", "127.0.0.1"), ("account.registered", "you", "127.0.0.1")], rows[1..].Select(static row => (row[1], row[3], row[4])));
        var newest = JsonDocument.Parse(json.Output).RootElement;
        Assert.Equal("session.opened", newest.GetProperty("kind").GetString());
        Assert.Contains("methods=pwd", rows[1][5], StringComparison.Ordinal);
        Assert.StartsWith("lintel-cli/", rows[1][6], StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_followed_as_it_happens_and_nothing_is_missed_while_the_connection_is_broken()
    {
        await using var proxy = new TcpProxy(server.Address);
        var (here, there) = (server.NewHome(proxy.Address), server.NewHome());
        Assert.Equal(0, (await here.RunAsync(["login", "--register", "--email", here.Email, "--password-stdin"], CliServer.Password + "\n")).ExitCode);
        using var following = here.Start("activity", "--follow", "--json");
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(TimeSpan.FromSeconds(60));

        string[] before = [await NextAsync(), await NextAsync()];
        await SignInThereAsync();
        var live = await NextAsync();
        proxy.Break(stayDown: true);
        await following.StandardError.ReadLineAsync(patience.Token);
        await SignInThereAsync();
        Assert.Equal(0, (await there.RunAsync(["sessions", "revoke", "--all"])).ExitCode);
        proxy.Repair();

        // Its own session has ended with all others, which is the end of what it may see.
        var ended = await following.StandardError.ReadToEndAsync(patience.Token);
        await following.WaitForExitAsync(patience.Token);

        Assert.Equal(["account.registered", "session.opened"], before);
        Assert.Equal("session.opened", live);
        Assert.Equal(77, following.ExitCode);
        Assert.Contains("run `lintel login`", ended, StringComparison.Ordinal);

        async Task<string> NextAsync() =>
            JsonDocument.Parse((await following.StandardOutput.ReadLineAsync(patience.Token))!).RootElement.GetProperty("kind").GetString()!;

        async Task SignInThereAsync() =>
            Assert.Equal(0, (await there.RunAsync(["login", "--email", here.Email, "--password-stdin"], CliServer.Password + "\n")).ExitCode);
    }

    [Fact]
    public async Task What_happened_while_the_connection_was_broken_is_shown_once()
    {
        await using var proxy = new TcpProxy(server.Address);
        var (here, there) = (server.NewHome(proxy.Address), server.NewHome());
        Assert.Equal(0, (await here.RunAsync(["login", "--register", "--email", here.Email, "--password-stdin"], CliServer.Password + "\n")).ExitCode);
        using var terminal = here.StartOnTerminal("activity", "--follow");
        await terminal.ShowsAsync("session.opened");

        proxy.Break(stayDown: true);
        await terminal.ShowsAsync("Reconnecting");
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(0, (await there.RunAsync(["login", "--email", here.Email, "--password-stdin"], CliServer.Password + "\n")).ExitCode);
        }

        proxy.Repair();
        await terminal.ShowsAsync("nothing was lost");

        // Signed in a second time, the one before is ended there: the last of what happened.
        await terminal.ShowsAsync("signed_out");
        terminal.Type("\u0003");

        Assert.Equal(130, await terminal.Exited);
        Assert.Equal(3, terminal.Shown.Split("session.opened").Length - 1);
        Assert.Single(terminal.Shown.Split("session.ended").Skip(1));
        Assert.True(terminal.IsCooked);
    }

    [Fact]
    public async Task Administrators_see_what_happened_to_all_or_to_one()
    {
        var (admin, person) = (server.NewHome(), await server.SignInAsync());
        Assert.Equal(0, (await admin.RunAsync(["admin", "create", "--data", server.DataFolder, "--email", admin.Email, "--password-stdin"], CliServer.Password + "\n")).ExitCode);
        Assert.Equal(0, (await admin.RunAsync(["login", "--email", admin.Email, "--password-stdin"], CliServer.Password + "\n")).ExitCode);
        await person.RunAsync(["logout"]);

        var all = await admin.RunAsync(["activity", "--all", "--kind", "session.opened", "--json", "-n", "2"]);
        var one = await admin.RunAsync(["activity", "--user", person.Email]);
        using var following = admin.Start("activity", "--user", person.Email, "--kind", "session.opened", "--follow", "-n", "1");
        await following.StandardOutput.ReadLineAsync(Cancel);
        await following.StandardOutput.ReadLineAsync(Cancel);
        Assert.Equal(0, (await person.RunAsync(["login", "--email", person.Email, "--password-stdin"], CliServer.Password + "\n")).ExitCode);
        var live = (await following.StandardOutput.ReadLineAsync(Cancel))!.Split('\t');
        following.Kill();

        var kinds = all.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => JsonDocument.Parse(line).RootElement.GetProperty("kind").GetString());
        Assert.Equal(["session.opened", "session.opened"], kinds);
        var rows = one.Output.TrimEnd('\n').Split('\n').Skip(1).Select(static line => line.Split('\t')).ToArray();
        Assert.Equal(["session.ended", "session.opened", "account.registered"], rows.Select(static row => row[1]));
        Assert.Single(rows.Select(static row => row[2]).Append(live[2]).Distinct());
        Assert.Equal("session.opened", live[1]);
    }

    [Theory]
    [InlineData(77, "This is for administrators.", "--all")]
    [InlineData(77, "needs the scope admin", "--user", "somebody@example.com")]
    [InlineData(64, "Say which: --all or --user.", "--all", "--user", "1")]
    [InlineData(64, "--kind needs --all or --user", "--kind", "session.opened")]
    public async Task Whoever_is_no_administrator_or_asks_for_two_things_is_told(int exitCode, string said, params string[] arguments)
    {
        var home = await server.SignInAsync();

        var refused = await home.RunAsync(["activity", .. arguments]);

        Assert.Equal((exitCode, ""), (refused.ExitCode, refused.Output));
        Assert.Contains(said, refused.Errors, StringComparison.Ordinal);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
