using System.Runtime.CompilerServices;

namespace Lintel.Infrastructure;

internal static class EnoughThreads
{
    /// <summary>
    /// Dozens of servers start at once in this one process, on a machine of few cores. The thread pool would add threads so slowly that a new connection to the database
    /// waits longer for one than it may.
    /// </summary>
    [ModuleInitializer]
    internal static void Provide() => ThreadPool.SetMinThreads(64, 64);
}
