using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Lintel.Features.Mail;

/// <summary>A real mail server in a process of its own.</summary>
internal sealed class SmtpServer : IDisposable
{
    private readonly Process _process;

    private SmtpServer(Process process, int port) => (_process, Port) = (process, port);

    public int Port { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <param name="port">0 takes a free one.</param>
    /// <param name="tls">A certificate and its key: STARTTLS is offered, and required.</param>
    /// <param name="account">User and password, without which no mail is taken.</param>
    public static async Task<SmtpServer> StartAsync(int port = 0, (string Certificate, string Key)? tls = null, (string User, string Password)? account = null)
    {
        var start = new ProcessStartInfo("/usr/bin/python3") { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "smtp-server.py"));
        start.ArgumentList.Add(port.ToString(CultureInfo.InvariantCulture));
        if (tls is { } files)
        {
            start.ArgumentList.Add(files.Certificate);
            start.ArgumentList.Add(files.Key);
        }

        if (account is { } known)
        {
            start.ArgumentList.Add(known.User);
            start.ArgumentList.Add(known.Password);
        }

        var process = Process.Start(start)!;
        var line = await process.StandardOutput.ReadLineAsync(Cancel) ?? throw new InvalidOperationException("The mail server did not start.");
        return new(process, JsonDocument.Parse(line).RootElement.GetProperty("port").GetInt32());
    }

    /// <summary>A certificate for 127.0.0.1 that nobody has signed, as PEM files in a folder.</summary>
    public static (string Certificate, string Key) MakeCertificate(string folder)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var certificate = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(7));
        var files = (Path.Combine(folder, "mail.pem"), Path.Combine(folder, "mail.key"));
        File.WriteAllText(files.Item1, certificate.ExportCertificatePem());
        File.WriteAllText(files.Item2, key.ExportPkcs8PrivateKeyPem());
        return files;
    }

    /// <summary>The next message that it took.</summary>
    public async Task<ReceivedMail> ReceiveAsync()
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        var line = await _process.StandardOutput.ReadLineAsync(patience.Token) ?? throw new InvalidOperationException("The mail server ended.");
        var json = JsonDocument.Parse(line).RootElement;
        return new ReceivedMail(
            json.GetProperty("sender").GetString()!,
            [.. json.GetProperty("recipients").EnumerateArray().Select(static item => item.GetString()!)],
            [.. json.GetProperty("headers").EnumerateArray().Select(static item => (item[0].GetString()!, item[1].GetString()!))],
            json.GetProperty("text").GetString()!,
            json.GetProperty("html").GetString()!,
            json.GetProperty("parts").GetInt32(),
            json.GetProperty("defects").GetInt32(),
            json.GetProperty("tls").GetBoolean(),
            json.GetProperty("user").GetString());
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }
}

/// <summary>A message as the mail server's own parser sees it.</summary>
internal sealed record ReceivedMail(
    string Sender, string[] Recipients, (string Name, string Value)[] Headers, string Text, string Html, int Parts, int Defects, bool IsEncrypted, string? User)
{
    public string Header(string name) => Assert.Single(Headers, header => header.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
}
