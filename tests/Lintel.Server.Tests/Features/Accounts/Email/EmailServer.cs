using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using Lintel.Infrastructure;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.Email;

/// <summary>A server that mails into a folder, as it does without a mail server, and that people reach at <see cref="PublicUrl"/>.</summary>
public abstract class EmailServer(TestDatabaseKind kind, params string[] settings)
    : AccountsServer(kind, new MovableClock(), ["--EMAIL_VERIFICATION=optional", $"--PUBLIC_URL={PublicUrl}", "--TRUSTED_PROXIES=127.0.0.1", .. settings])
{
    public const string PublicUrl = "https://lintel.example.com/base";
    public const string NewPassword = "a stapled second horse";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The newest letter to somebody in which <paramref name="word"/> stands, as plain text; waits for the <paramref name="nth"/> such one.</summary>
    public async Task<string> LetterAsync(string recipient, string word, int nth = 1)
    {
        string[] found = [];
        await Eventually.HoldsAsync(() => (found = [.. Letters(recipient).Where(text => text.Contains(word, StringComparison.Ordinal))]).Length >= nth);
        return found[nth - 1];
    }

    /// <summary>The letters that came so far, oldest first.</summary>
    public IEnumerable<string> Letters(string recipient) =>
        RawLetters().Where(raw => raw.Contains($"\nTo: {recipient}\r\n", StringComparison.OrdinalIgnoreCase)).Select(TextOf);

    public IEnumerable<string> RawLetters() => MailFolder.Read(DataFolder);

    /// <summary>The token of the link to <paramref name="path"/> in the newest letter with one.</summary>
    public async Task<string> TokenAsync(string recipient, string path, int nth = 1) => TokenIn(await LetterAsync(recipient, $"{PublicUrl}{path}?token=", nth), path);

    /// <summary>Empty where there is no such link.</summary>
    public static string TokenIn(string letter, string path)
    {
        var link = $"{PublicUrl}{path}?token=";
        var start = letter.IndexOf(link, StringComparison.Ordinal);
        return start < 0 ? "" : string.Concat(letter[(start + link.Length)..].TakeWhile(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'));
    }

    /// <summary>Once everything that was asked for has been looked at.</summary>
    public Task SettleAsync() => Eventually.HoldsAsync(async () => await CountAsync("SELECT count(*) FROM email_request WHERE due_at <= $1", Clock.GetMicroseconds()) == 0 && await CountAsync("SELECT count(*) FROM mail") == 0);

    /// <summary>Asks for mail; the answer is the same for everybody.</summary>
    public async Task AskAsync(string path, string email)
    {
        using var response = await PostAsync(path, new { email });
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
    }

    public async Task<string> ResetTokenAsync(string email, int nth = 1)
    {
        await AskAsync("/auth/password/forgot", email);
        return await TokenAsync(email, "/auth/password/reset", nth);
    }

    public async Task<string> CodeAsync(string email, int nth = 1)
    {
        await AskAsync("/auth/email/code", email);

        // On a line of its own.
        var lines = (await LetterAsync(email, "Your code", nth)).Split("\r\n");
        return lines.Select(static line => line.Trim()).First(static line => line.Length == 9 && line.All(static c => char.IsAsciiDigit(c) || c == ' '));
    }

    public async Task<HttpStatusCode> StatusAsync(string path, object body)
    {
        using var response = await PostAsync(path, body);
        return response.StatusCode;
    }

    public async Task<HttpResponseMessage> PostAsync(string path, object body, string accessToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        return await Client.SendAsync(request, Cancel);
    }

    /// <summary>What somebody from another network is answered.</summary>
    public async Task<HttpStatusCode> StatusFromAsync(string address, string path, object body, string? device = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        request.Headers.Add("X-Forwarded-For", address);
        request.Headers.Add("X-Device-Token", device ?? "");
        using var response = await Client.SendAsync(request, Cancel);
        return response.StatusCode;
    }

    public async Task<HttpStatusCode> LogInStatusAsync(string email, string password) => await StatusAsync("/auth/login", new { email, password });

    public async Task<bool> IsVerifiedAsync(long id) => await CountAsync("SELECT count(*) FROM account WHERE id = $1 AND email_verified_at IS NOT NULL", id) == 1;

    public Task<long> CountEventsAsync(Person person, string kind) =>
        CountAsync("SELECT count(*) FROM event e JOIN stream s ON s.id = e.stream_id WHERE s.name = $1 AND e.kind = $2", $"accounts.activity.{person.Id}", kind);

    public static async Task<string[]> BadFieldsAsync(HttpResponseMessage response)
    {
        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        return [.. (await response.JsonAsync()).GetProperty("error").GetProperty("details").GetProperty("fields").EnumerateObject().Select(static field => field.Name)];
    }

    private static string TextOf(string raw)
    {
        // Two parts in base64, the plain one first.
        var start = raw.IndexOf("\r\n\r\n", raw.IndexOf("text/plain", StringComparison.Ordinal), StringComparison.Ordinal);
        var end = raw.IndexOf("\r\n--", start, StringComparison.Ordinal);
        return Encoding.UTF8.GetString(Convert.FromBase64String(raw[start..end]));
    }
}

public sealed class SqliteEmailServer() : EmailServer(TestDatabaseKind.Sqlite);

public sealed class PostgresEmailServer() : EmailServer(TestDatabaseKind.Postgres);
