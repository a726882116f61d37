using System.Diagnostics;
using System.Globalization;
using System.Xml.Linq;

namespace Lintel.Sandbox.Infrastructure;

/// <summary>Runs the tests of this assembly, or some of them, once more as a user who owns nothing.</summary>
internal static class OrdinaryUser
{
    /// <summary>Skips the test where those that it would run are run by an ordinary user anyway.</summary>
    public static void SkipUnlessRoot() =>
        Assert.SkipUnless(System.Environment.IsPrivilegedProcess, "These tests are being run by an ordinary user already; the root half needs root.");

    /// <param name="uid">Nobody's: its processes are then exactly this run's.</param>
    /// <param name="least">How many must pass.</param>
    /// <param name="options">What to run, as options of the tests' runner.</param>
    public static async Task RunTestsAsync(string uid, int least, params string[] options)
    {
        var cancel = TestContext.Current.CancellationToken;

        // The build may be in a folder that only root can enter.
        var folder = Directory.CreateTempSubdirectory("lintel-ordinary-user-").FullName;

        try
        {
            CopyBuild(AppContext.BaseDirectory, folder);
            var temporary = Path.Combine(folder, "tmp");
            Directory.CreateDirectory(temporary);
            File.SetUnixFileMode(temporary, (UnixFileMode)0x1FF);
            var report = Path.Combine(temporary, "report.xml");
            var assembly = Path.GetFileName(typeof(OrdinaryUser).Assembly.Location);

            var start = new ProcessStartInfo("setpriv")
            {
                ArgumentList =
                {
                    $"--reuid={uid}", $"--regid={uid}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all", "--",
                    System.Environment.ProcessPath!.EndsWith("/dotnet", StringComparison.Ordinal) ? System.Environment.ProcessPath : "dotnet",
                    "exec", Path.Combine(folder, assembly), "-noLogo", "-noColor", "-xml", report,
                },
                UseShellExecute = false,
                WorkingDirectory = temporary,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            start.Environment["HOME"] = temporary;
            start.Environment["TMPDIR"] = temporary;
            Array.ForEach(options, start.ArgumentList.Add);

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
            var results = XDocument.Load(report).Descendants("assembly").Single();
            Assert.True(Number("failed") == 0 && Number("errors") == 0 && process.ExitCode == 0, said);
            Assert.True(Number("passed") >= least, said);
            TestContext.Current.TestOutputHelper?.WriteLine($"As an ordinary user: {Number("passed")} passed, {Number("skipped")} skipped.");

            int Number(string name) => int.Parse(results.Attribute(name)!.Value, CultureInfo.InvariantCulture);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void CopyBuild(string from, string to)
    {
        File.SetUnixFileMode(to, (UnixFileMode)0x1ED);

        foreach (var file in Directory.EnumerateFiles(from))
        {
            var copy = Path.Combine(to, Path.GetFileName(file));
            File.Copy(file, copy);
            File.SetUnixFileMode(copy, (UnixFileMode)0x1ED);
        }

        foreach (var folder in Directory.EnumerateDirectories(from))
        {
            CopyBuild(folder, Directory.CreateDirectory(Path.Combine(to, Path.GetFileName(folder))).FullName);
        }
    }
}
