using System.Globalization;
using Xunit.Sdk;

namespace Lintel.Sandbox.Infrastructure;

/// <summary>What is left of guests on the host: live processes of that uid in a pid namespace below ours.</summary>
internal static class HostProcesses
{
    public static List<(int Pid, string Name)> FindGuests(uint uid) => FindGuests(other => other == uid);

    public static void AssertNoGuests(uint uid) => AssertNoGuests(other => other == uid);

    public static void AssertNoGuests(Func<uint, bool> isGuest)
    {
        if (FindGuests(isGuest) is { Count: > 0 } left)
        {
            throw new XunitException($"Left on the host: {string.Join(", ", left)}.");
        }
    }

    /// <summary>How many processes, beside the tests' own servers, have that text among their arguments.</summary>
    public static int CountWith(string mark)
    {
        var count = 0;

        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            try
            {
                var arguments = char.IsAsciiDigit(Path.GetFileName(folder)[0]) ? File.ReadAllText(Path.Combine(folder, "cmdline")).Split('\0') : [];
                count += arguments.Contains(mark) && !arguments.Contains("storm") ? 1 : 0;
            }
            catch (IOException)
            {
                // It ended while we looked.
            }
        }

        return count;
    }

    private static List<(int Pid, string Name)> FindGuests(Func<uint, bool> isGuest)
    {
        List<(int, string)> found = [];

        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
            {
                continue;
            }

            try
            {
                var status = File.ReadLines(Path.Combine(folder, "status")).Select(line => line.Split(':', 2))
                    .ToDictionary(line => line[0], line => line[1].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

                if (isGuest(uint.Parse(status["Uid"][0], CultureInfo.InvariantCulture)) && status["NSpid"].Length > 1 && status["State"][0] != "Z")
                {
                    found.Add((pid, status["Name"][0]));
                }
            }
            catch (IOException)
            {
                // It ended while we looked.
            }
        }

        return found;
    }
}
