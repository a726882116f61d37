using System.Diagnostics;
using System.Globalization;
using System.Xml.Linq;
using Lintel.Sandbox.Native;

namespace Lintel.Sandbox.Infrastructure;

/// <summary>
/// A server may be root or not, and takes a different way to a guest's identity in each case. So when these tests are run by
/// root, all of them are run once more by an ordinary user.
/// </summary>
public sealed class OrdinaryUserTests
{
    // Nobody's: its processes are then exactly this run's.
    private const string Uid = "1890000001";

    [Fact(Timeout = 900_000)]
    public async Task All_of_these_tests_pass_for_an_ordinary_user_too()
    {
        Assert.SkipUnless(Libc.geteuid() == 0, "These tests are being run by an ordinary user already; the root half needs root.");
        var cancel = TestContext.Current.CancellationToken;

        // The build may be in a folder that only root can enter.
        var folder = Directory.CreateTempSubdirectory("lintel-sandbox-tests-").FullName;

        try
        {
            CopyBuild(AppContext.BaseDirectory, folder);
            var temporary = Path.Combine(folder, "tmp");
            Directory.CreateDirectory(temporary);
            File.SetUnixFileMode(temporary, (UnixFileMode)0x1FF);
            File.SetUnixFileMode(folder, (UnixFileMode)0x1ED);
            var report = Path.Combine(temporary, "report.xml");

            var start = new ProcessStartInfo("setpriv")
            {
                ArgumentList =
                {
                    $"--reuid={Uid}", $"--regid={Uid}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all", "--",
                    System.Environment.ProcessPath!.EndsWith("/dotnet", StringComparison.Ordinal) ? System.Environment.ProcessPath : "dotnet",
                    "exec", Path.Combine(folder, "Lintel.Sandbox.Tests.dll"), "-noLogo", "-noColor", "-xml", report,
                },
                UseShellExecute = false,
                WorkingDirectory = temporary,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            start.Environment["HOME"] = temporary;
            start.Environment["TMPDIR"] = temporary;

            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync(cancel);
            var errors = process.StandardError.ReadToEndAsync(cancel);

            try
            {
                await process.WaitForExitAsync(cancel);
            }
            finally
            {
                if (!process.HasExited)
                {
                    process.Kill(entireProcessTree: true);
                }
            }

            var said = $"{await output}\n{await errors}";
            Assert.True(File.Exists(report), said);
            var assembly = XDocument.Load(report).Descendants("assembly").Single();
            Assert.True(Number("failed") == 0 && Number("errors") == 0 && process.ExitCode == 0, said);

            // All but this one, and what the machine lacks.
            Assert.True(Number("passed") >= 60, said);
            TestContext.Current.TestOutputHelper?.WriteLine($"As an ordinary user: {Number("passed")} passed, {Number("skipped")} skipped.");

            int Number(string name) => int.Parse(assembly.Attribute(name)!.Value, CultureInfo.InvariantCulture);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void CopyBuild(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from))
        {
            var copy = Path.Combine(to, Path.GetFileName(file));
            File.Copy(file, copy);
            File.SetUnixFileMode(copy, (UnixFileMode)0x1ED);
        }
    }
}
