using System.Text.Json;

namespace Lintel.Platform.Telemetry;

/// <summary>Logs as JSON lines.</summary>
internal sealed class JsonLogProvider(LogSink sink, TimeProvider time) : ILoggerProvider
{
    private const string HostCategory = "Microsoft.Extensions.Hosting.Internal.Host";

    public ILogger CreateLogger(string categoryName)
    {
        var logger = new JsonLogger(categoryName, sink, time);
        return categoryName == HostCategory ? new HostLogger(logger) : logger;
    }

    // The sink outlives the provider: the container ends it last.
    public void Dispose() => sink.Flush(TimeSpan.FromSeconds(1));
}

/// <summary>Where log lines go: standard output, unless something else is registered after it.</summary>
internal sealed record LogOutput(Stream Stream);

internal static class LoggingExtensions
{
    private static readonly JsonEncodedText LossCategory = JsonEncodedText.Encode("app.log");

    /// <summary>JSON lines at <paramref name="level"/>; of the framework only warnings and worse.</summary>
    public static void AddJsonLogging(this WebApplicationBuilder builder, LogLevel level)
    {
        var frameworkLevel = level > LogLevel.Warning ? level : LogLevel.Warning;
        builder.Logging
            .SetMinimumLevel(level)
            .AddFilter("Microsoft", frameworkLevel)
            .AddFilter("System", frameworkLevel)
            .AddFilter("Npgsql", frameworkLevel);
        if (builder.Configuration.GetSection("Logging") is var section && section.Exists())
        {
            builder.Logging.AddConfiguration(section);
        }

        // Never: it would log query strings, and while it is on at any level every request pays for a scope.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);

        // The container ends the sink after everything that was made later, which is nearly everything.
        builder.Services.AddSingleton(_ => new LogOutput(Console.OpenStandardOutput()));
        builder.Services.AddSingleton(static services =>
        {
            var time = services.GetRequiredService<TimeProvider>();
            return new LogSink(services.GetRequiredService<LogOutput>().Stream, dropped => DescribeLoss(time, dropped));
        });
        builder.Services.AddSingleton<ILoggerProvider, JsonLogProvider>();
    }

    private static byte[] DescribeLoss(TimeProvider time, long dropped)
    {
        var line = LogLine.Begin(time.GetUtcNow(), LogLevel.Warning, LossCategory, "Log lines were dropped because their reader was too slow.", requestId: null);
        line.WriteField(FieldName.Of("dropped"), dropped);
        var bytes = line.End().ToArray();
        line.Return();
        return bytes;
    }
}
