namespace Lintel.Platform.Configuration;

internal static class ConfigurationExtensions
{
    /// <summary>
    /// From weak to strong: <c>appsettings.json</c> beside the executable, <c>.env</c> in the current folder (or the file that
    /// <c>ENV_FILE</c> names), the environment, the command line.
    /// </summary>
    public static void AddConfiguration(this WebApplicationBuilder builder, string[] args)
    {
        var configuration = builder.Configuration;
        configuration.AddJsonFile("appsettings.json", optional: true, reloadOnChange: false);
        configuration.AddInMemoryCollection(DotEnv.ReadFile(EnvFile()));
        configuration.AddEnvironmentVariables();
        configuration.AddCommandLine(args);

        var settings = new SettingsReader(configuration, builder.Environment);
        ((IHostApplicationBuilder)builder).Properties[typeof(SettingsReader)] = settings;
    }

    public static SettingsReader Settings(this IHostApplicationBuilder builder) =>
        (SettingsReader)builder.Properties[typeof(SettingsReader)];

    /// <summary>
    /// Reads a topic's options once, at start, and makes them a service. Errors that <paramref name="read"/> notes in the reader
    /// are told together with all others before the server is built; until then the options may hold their defaults.
    /// </summary>
    public static T AddSettings<T>(this IHostApplicationBuilder builder, Func<SettingsReader, T> read)
        where T : class
    {
        var options = read(builder.Settings());
        builder.Services.AddSingleton(options);
        return options;
    }

    private static string EnvFile() =>
        Environment.GetEnvironmentVariable("ENV_FILE") is { Length: > 0 } named ? named : ".env";
}
