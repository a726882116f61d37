using System.Globalization;

namespace Lintel.Bench.Servers;

/// <summary>What the kernel says a process occupies.</summary>
internal static class Memory
{
    private const int Kilobyte = 1024;

    /// <summary>VmRSS: every resident page, shared libraries included.</summary>
    public static long Resident(int processId) => Field($"/proc/{processId}/status", "VmRSS:");

    /// <summary>VmHWM: the most that was ever resident, or since it was last forgotten.</summary>
    public static long PeakResident(int processId) => Field($"/proc/{processId}/status", "VmHWM:");

    /// <summary>Sets the kernel's mark of the highest resident size back to the present one.</summary>
    public static void ForgetPeak(int processId) => File.WriteAllText($"/proc/{processId}/clear_refs", "5");

    /// <summary>Resident pages that belong to no file: heap, stacks and buffers, which is where connections live.</summary>
    public static long Anonymous(int processId) => Field($"/proc/{processId}/smaps_rollup", "Anonymous:");

    private static long Field(string file, string name)
    {
        var line = File.ReadLines(file).First(line => line.StartsWith(name, StringComparison.Ordinal));
        var kilobytes = line.AsSpan(name.Length).Trim().TrimEnd(" kB");
        return long.Parse(kilobytes, CultureInfo.InvariantCulture) * Kilobyte;
    }
}
