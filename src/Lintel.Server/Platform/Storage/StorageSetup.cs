using Lintel.Platform.Caching;
using Lintel.Platform.Configuration;
using Lintel.Platform.Health;

namespace Lintel.Platform.Storage;

internal static class StorageSetup
{
    /// <summary>Adds the database. Its worker opens it before any other starts, so this comes first among all that use it.</summary>
    public static void AddStorage(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<Database>(static services =>
        {
            var options = services.GetRequiredService<StorageOptions>();
            var time = services.GetRequiredService<TimeProvider>();
            return options.Kind == DatabaseKind.Sqlite
                ? new SqliteDatabase(options.SqlitePath, time, services.GetRequiredService<ILogger<SqliteDatabase>>())
                : PostgresDatabase.Create(options.PostgresConnectionString, time, services.GetRequiredService<ILogger<PostgresDatabase>>());
        });
        builder.Services.AddHostedService<DatabaseWorker>();
        builder.Services.AddSingleton<TimeOrderedIds>();
        builder.Services.AddSingleton<OutputCache>();
        builder.Services.AddSingleton<Hints>();
        builder.Services.AddHostedService(static services => services.GetRequiredService<Hints>());
        builder.Services.AddSingleton<IReadinessCheck, DatabaseCheck>();
        builder.Services.AddSingleton<IReadinessCheck, MigrationsCheck>();
    }

    private sealed class DatabaseWorker(Database database) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => database.OpenAsync(cancellationToken);

        // Closed with the services, after the last of its users.
        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
