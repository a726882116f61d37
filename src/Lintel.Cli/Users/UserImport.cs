using System.Globalization;
using System.Text.Json;
using Lintel.Cli.Api;
using Lintel.Cli.Terminals;
using Spectre.Console;

namespace Lintel.Cli.Users;

/// <summary>Sends a table of users to the server in parts, and tells of every line that was not taken.</summary>
internal sealed class UserImport(ApiClient api, bool isDryRun, bool isJson)
{
    /// <summary>What the server takes in one request.</summary>
    private const int BatchSize = 200;

    private int _created;
    private int _existing;
    private int _refused;
    private bool _canUsePasswords = true;
    private bool _hasPasswords;

    private string Sum => $"{_created:N0} {(isDryRun ? "would be made" : "made")}, {_existing:N0} there already, {_refused:N0} refused";

    /// <returns>0 where every line was taken or is there already, 1 where one was refused.</returns>
    public async Task<int> RunAsync(UserFile file, CancellationToken cancellationToken)
    {
        try
        {
            if (Screen.CanAnimate)
            {
                await Screen.Err.Status().StartAsync("Importing …", async status => await SendAllAsync(file, () => status.Status(Progress(file)), cancellationToken));
            }
            else
            {
                await SendAllAsync(file, static () => { }, cancellationToken);
            }
        }
        catch
        {
            await StandardStreams.Err.WriteLineAsync($"It ended before the file did. So far: {Sum}. Import the same file again to go on: what is there already stays as it is.");
            throw;
        }

        if (isJson)
        {
            JsonLine.Write(JsonSerializer.Serialize(new(_created, _existing, _refused, isDryRun), AdminJson.Default.ImportSummary));
        }

        await StandardStreams.Err.WriteLineAsync($"{Sum}.");
        if (_hasPasswords && !_canUsePasswords)
        {
            StandardStreams.Tell("The server cannot check bcrypt hashes, since its machine has no libcrypt that knows them: install it, or have those people set new passwords.");
        }

        return _refused == 0 ? ExitCode.Ok : ExitCode.No;
    }

    private string Progress(UserFile file) =>
        string.Create(CultureInfo.InvariantCulture, $"{_created + _existing + _refused:N0} lines{(file.Progress is { } part ? $", {(int)(part * 100)}%" : "")}");

    private async Task SendAllAsync(UserFile file, Action advance, CancellationToken cancellationToken)
    {
        var batch = new List<UserLine>(BatchSize);
        while (file.Read() is { } line)
        {
            if (line.Problem is { } problem)
            {
                _refused++;
                Tell(new(line.Line, "refused", problem));
                continue;
            }

            batch.Add(line);
            if (batch.Count == BatchSize)
            {
                await SendAsync(batch, cancellationToken);
                batch.Clear();
                advance();
            }
        }

        if (batch.Count > 0)
        {
            await SendAsync(batch, cancellationToken);
            advance();
        }
    }

    private async Task SendAsync(List<UserLine> batch, CancellationToken cancellationToken)
    {
        var request = new ImportUsers([.. batch.Select(static line => line.User!)], isDryRun);
        var answer = await api.PostAsync("api/admin/users/import", request, AdminJson.Default.ImportUsers, AdminJson.Default.ImportedUsers, cancellationToken);
        _created += answer.Created;
        _existing += answer.Existing;
        _refused += answer.Refused;
        _canUsePasswords &= answer.PasswordsUsable;
        _hasPasswords |= batch.Exists(static line => line.User!.PasswordHash is not null);
        foreach (var problem in answer.Problems)
        {
            Tell(new(batch[problem.Index].Line, problem.Status, problem.Message));
        }
    }

    private void Tell(LineProblem problem)
    {
        if (isJson)
        {
            JsonLine.Write(JsonSerializer.Serialize(problem, AdminJson.Default.LineProblem));
        }
        else
        {
            StandardStreams.Tell($"line {problem.Line}: {problem.Message}");
        }
    }
}
