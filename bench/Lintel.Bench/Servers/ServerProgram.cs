using System.Globalization;
using System.Security.Cryptography;

namespace Lintel.Bench.Servers;

/// <summary>An executable to measure and how it is told where to work.</summary>
internal sealed record ServerProgram(string Executable, string HealthPath, string LogFile, bool IsLintel)
{
    // Set for whoever runs the benchmarks, these would change what is measured.
    private static readonly string[] Inherited =
        ["DATABASE_URL", "ALGORITHM", "API_KEY", "APP_NAME", "DEBUG", "LOG_LEVEL", "RATE_LIMIT_WINDOW", "ASPNETCORE_ENVIRONMENT", "ASPNETCORE_URLS", "DOTNET_ENVIRONMENT"];

    // The same for every start, so that a token outlives a restart.
    private readonly string secretKey = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    /// <summary>What a scenario sets beside the rest.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>Production settings, but for limits that would refuse the load; logging stays at its default.</summary>
    public void Configure(IDictionary<string, string?> environment, string folder, int port)
    {
        foreach (var name in Inherited)
        {
            environment.Remove(name);
        }

        environment["PORT"] = port.ToString(CultureInfo.InvariantCulture);
        if (IsLintel)
        {
            environment["LINTEL_DATA"] = folder;
            environment["SECRET_KEY"] = secretKey;
            environment["RATE_LIMIT_REQUESTS"] = "1000000000";
            environment["RATE_LIMIT_SIGN_IN"] = "1000000000";
            environment["RATE_LIMIT_REGISTER"] = "1000000000";
            environment["TASKS_PER_ACCOUNT"] = "1000000";
            environment["MAIL_PER_OWNER_PER_HOUR"] = "1000000";

            // Ten thousand followers are one account's here.
            environment["MAX_CONNECTIONS_PER_OWNER"] = "20000";
            environment["MAX_CONNECTIONS_PER_ADDRESS"] = "20000";
            foreach (var (name, value) in Settings)
            {
                environment[name] = value;
            }
        }
    }
}
