using System.Data.Common;
using System.Runtime.InteropServices;
using Lintel.Platform.Configuration;
using Lintel.Platform.Errors;
using Lintel.Platform.Storage;
using Lintel.Platform.Telemetry;
using Microsoft.AspNetCore.Connections;

namespace Lintel.Platform.Http;

/// <summary>Runs the server until it is told to stop, and tells in plain words why it cannot start.</summary>
internal static partial class ServerRun
{
    // Of sysexits.h, as 78 for the settings is.
    private const int Unavailable = 69;
    private const int Failed = 70;

    // Octal 077: what the server writes (the database, its log, the key) is for its own user alone.
    private const uint OwnerOnly = 0b000_111_111;

    private static readonly TimeSpan FlushPatience = TimeSpan.FromSeconds(2);

    public static async Task<int> RunAsync(Func<WebApplication> create)
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = SetFileModeMask(OwnerOnly);
        }

        try
        {
            await using var app = create();
            var sink = app.Services.GetRequiredService<LogSink>();
            AppDomain.CurrentDomain.UnhandledException += (_, crash) => LogCrash(app, sink, crash.ExceptionObject as Exception);
            await StartAsync(app);
            foreach (var address in app.Urls)
            {
                Log.Listening(app.Logger, app.Services.GetRequiredService<ServerOptions>().AppName, address);
            }

            using var stopping = app.Lifetime.ApplicationStopping.Register(() => Log.Stopping(app.Logger));
            await app.WaitForShutdownAsync();
            Log.Stopped(app.Logger);

            // The host stops in good order when a worker fails, but a supervisor must see that it was no one's wish.
            var workers = app.Services.GetServices<IHostedService>().OfType<BackgroundService>();
            return workers.Any(static worker => worker.ExecuteTask is { IsFaulted: true }) ? Failed : 0;
        }
        catch (InvalidSettingsException failure)
        {
            return Tell(failure.Errors, InvalidSettingsException.ExitCode);
        }
        catch (Exception failure)
        {
            var (sentence, exitCode) = Explain(failure);
            return Tell([sentence], exitCode);
        }
    }

    private static async Task StartAsync(WebApplication app)
    {
        try
        {
            await app.StartAsync();
        }
        catch (Exception failure)
        {
            Log.CannotStart(app.Logger, Explain(failure).Sentence);
            if (IsAddressFailure(failure))
            {
                // The web server starts last: everything else runs by now, and is to end in good order.
                await app.StopAsync();
            }

            throw;
        }
    }

    private static (string Sentence, int ExitCode) Explain(Exception failure) => failure switch
    {
        // Kestrel's own sentence names the address.
        IOException when IsAddressFailure(failure) => ($"{failure.Message} Stop the program that uses it, or set PORT to a free one.", Unavailable),
        _ when IsAddressFailure(failure) => ($"The server cannot listen where HOST and PORT say: {failure.Message}.", Unavailable),
        // Whoever starts the server may know what its clients may not: which host, which user, which file.
        StorageUnavailableException { InnerException: DbException cause } => ($"{failure.Message} ({cause.Message}) Is DATABASE_URL right?", Unavailable),
        ServiceUnavailableException => (failure.Message, Unavailable),

        // A bug: whoever reports it needs the stack.
        _ => (failure.ToString(), Failed),
    };

    private static bool IsAddressFailure(Exception failure) =>
        failure is IOException { InnerException: AddressInUseException } or System.Net.Sockets.SocketException;

    private static int Tell(IEnumerable<string> sentences, int exitCode)
    {
        Console.Error.WriteLine("Lintel cannot start:");
        foreach (var sentence in sentences)
        {
            Console.Error.WriteLine("  " + sentence);
        }

        return exitCode;
    }

    [LibraryImport("libc", EntryPoint = "umask")]
    private static partial uint SetFileModeMask(uint mask);

    private static void LogCrash(WebApplication app, LogSink sink, Exception? failure)
    {
        Log.Crashed(app.Logger, failure);
        sink.Flush(FlushPatience);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "{AppName} listens on {Address}.")]
        public static partial void Listening(ILogger logger, string appName, string address);

        [LoggerMessage(2, LogLevel.Critical, "The server crashed.")]
        public static partial void Crashed(ILogger logger, Exception? failure);

        [LoggerMessage(3, LogLevel.Error, "The server cannot start: {Reason}")]
        public static partial void CannotStart(ILogger logger, string reason);

        [LoggerMessage(4, LogLevel.Information, "The server stops: it takes nothing new and ends what is open.")]
        public static partial void Stopping(ILogger logger);

        [LoggerMessage(5, LogLevel.Information, "The server has stopped.")]
        public static partial void Stopped(ILogger logger);
    }
}
