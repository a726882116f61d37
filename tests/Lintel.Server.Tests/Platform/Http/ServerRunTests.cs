using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Lintel.Infrastructure;

namespace Lintel.Platform.Http;

public sealed class ServerRunTests : IDisposable
{
    private const string Key = "0123456789abcdef0123456789abcdef";

    private readonly string _folder = Directory.CreateTempSubdirectory("lintel-run-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Wrong_settings_are_told_in_sentences_and_the_exit_code_is_78()
    {
        using var server = ServerProcess.Start(_folder, ("PORT", "many"), ("DATABASE_URL", "mysql://u:pa55@h/d"), ("SECRET_KEY", "pa55"));
        var (exitCode, output, errors) = await server.EndAsync(Cancel);

        Assert.Equal(78, exitCode);
        Assert.Equal("", output);
        Assert.Equal(["Lintel", "PORT", "DATABASE_URL", "SECRET_KEY"], errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => line.Trim().Split(' ')[0]));
        Assert.DoesNotContain("pa55", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_in_use_is_told_in_one_log_line_and_a_sentence()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        using var server = ServerProcess.Start(_folder, ("PORT", port), ("SECRET_KEY", Key));
        var (exitCode, output, errors) = await server.EndAsync(Cancel);

        Assert.Equal(69, exitCode);
        using var line = JsonDocument.Parse(output);
        Assert.Equal("ERROR", line.RootElement.GetProperty("level").GetString());
        Assert.Contains($"127.0.0.1:{port}", line.RootElement.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Contains("PORT", line.RootElement.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.False(line.RootElement.TryGetProperty("stack", out _));
        Assert.Contains("PORT", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lintel:wrong@", "", "password")]
    [InlineData("", "/none_such", "none_such")]
    public async Task A_PostgreSQL_that_refuses_is_told_in_a_sentence(string user, string database, string cause)
    {
        var url = new UriBuilder(TestDatabase.PostgresServer!);
        var address = url.Uri.AbsoluteUri;
        address = user.Length > 0 ? address.Replace($"{url.UserName}:{url.Password}@", user, StringComparison.Ordinal) : address;
        address = database.Length > 0 ? address.Replace(url.Path, database, StringComparison.Ordinal) : address;
        using var server = ServerProcess.Start(_folder, ("PORT", "0"), ("SECRET_KEY", Key), ("DATABASE_URL", address));
        var (exitCode, _, errors) = await server.EndAsync(Cancel);

        Assert.Equal(69, exitCode);
        Assert.Contains("DATABASE_URL", errors, StringComparison.Ordinal);
        Assert.Contains(cause, errors, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_environment_wins_over_the_env_file_and_data_goes_where_the_current_folder_says()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, ".env"), $"APP_NAME='From the file'\nPORT=1\nexport SECRET_KEY={Key}\nLINTEL_DATA=./kept\n", Cancel);
        using var server = ServerProcess.Start(_folder, ("PORT", "0"));
        var address = await server.ListeningAsync(Cancel);
        using var client = new HttpClient { BaseAddress = address };

        Assert.Equal("{\"status\":\"ok\"}", await client.GetStringAsync("/health", Cancel));
        Assert.NotEqual(1, address.Port);
        Assert.True(Directory.Exists(Path.Combine(_folder, "kept")));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.Combine(_folder, "kept")));
        }
    }

    [Fact]
    public async Task Asked_to_stop_it_ends_well_and_writes_its_log_to_the_last_line()
    {
        using var server = ServerProcess.Start(_folder, ("PORT", "0"), ("DEBUG", "true"));
        using var client = new HttpClient { BaseAddress = await server.ListeningAsync(Cancel) };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/health");
        request.Headers.Add("X-Request-ID", "the-last");
        using var response = await client.SendAsync(request, Cancel);

        var data = new DirectoryInfo(Path.Combine(_folder, "data"));
        Assert.All(data.GetFiles(), static file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, file.UnixFileMode));

        server.Terminate();
        var (exitCode, output, errors) = await server.EndAsync(Cancel);

        Assert.Equal((0, ""), (exitCode, errors));

        // Nothing is left in a write-ahead log that somebody would have to copy too.
        Assert.Equal(["lintel.db", "lintel.db.lock", "secret.key"], data.GetFiles().Select(static file => file.Name).Order(StringComparer.Ordinal));
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.Equal("The server has stopped.", lines[^1].GetProperty("message").GetString());
        Assert.Contains(lines, static line => line.GetProperty("message").GetString() == "Request finished" && line.GetProperty("request_id").GetString() == "the-last");
    }
}
