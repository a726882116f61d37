using System.Text;

namespace Lintel.Features.Execution;

/// <summary>Programs as the host sees them.</summary>
internal static class HostProcesses
{
    /// <summary>A text that no other process has among its arguments: given to a program as one, it tells that program's processes from all others.</summary>
    public static string NewMark() => $"mark-{Guid.CreateVersion7():N}";

    public static List<string> With(string mark)
    {
        List<string> found = [];
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            try
            {
                if (char.IsAsciiDigit(Path.GetFileName(process)[0]) && Encoding.UTF8.GetString(File.ReadAllBytes(Path.Combine(process, "cmdline"))).Contains(mark, StringComparison.Ordinal))
                {
                    found.Add(process);
                }
            }
            catch (IOException)
            {
                // It ended while we looked.
            }
        }

        return found;
    }

    public static Task GoneAsync(string mark) => Infrastructure.Eventually.HoldsAsync(() => With(mark).Count == 0);
}
