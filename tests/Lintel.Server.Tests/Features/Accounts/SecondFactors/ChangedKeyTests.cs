using Lintel.Infrastructure;

namespace Lintel.Features.Accounts.SecondFactors;

/// <summary>Second factors beside a change of <c>SECRET_KEY</c>.</summary>
public sealed class ChangedKeyTests
{
    private const string Old = "0123456789abcdef0123456789abcdef-for-tests";
    private const string New = "fedcba9876543210fedcba9876543210-for-tests";

    [Theory]
    [InlineData(TestDatabaseKind.Sqlite)]
    [InlineData(TestDatabaseKind.Postgres)]
    public async Task Apps_outlive_the_key_and_recovery_codes_and_devices_live_while_the_old_one_is_known(TestDatabaseKind kind)
    {
        await using var server = new ChangingKeyServer(kind);
        await server.InitializeAsync();
        var (person, app) = await server.SignInWithAppAsync();
        using var remembering = await server.PostAsync("/auth/2fa", new { challenge = await server.ChallengeAsync(person.Email), code = app.Code(), remember_device = true });
        var device = (await remembering.JsonAsync()).GetProperty("device_token").GetString()!;
        var waiting = await server.ChallengeAsync(person.Email);
        var before = await SecretAsync(server, person);

        server.Keys = [$"--SECRET_KEY={New}", $"--SECRET_KEY_PREVIOUS={Old}"];
        await server.RestartAsync();
        Assert.Equal("200", await FactorsServer.OutcomeAsync(await server.AnswerAsync(waiting, app.Code())));
        Assert.Equal("200", await FactorsServer.OutcomeAsync(await server.RecoverAsync(await server.ChallengeAsync(person.Email), app.RecoveryCodes[0])));
        Assert.Equal("200", await FactorsServer.OutcomeAsync(await server.LoginAsync(person.Email, device)));
        await Eventually.HoldsAsync(async () => await SecretAsync(server, person) != before);

        server.Keys = [$"--SECRET_KEY={New}"];
        await server.RestartAsync();
        Assert.Equal("401 AUTH_2FA_REQUIRED", await FactorsServer.OutcomeAsync(await server.LoginAsync(person.Email, device)));
        Assert.Equal("401 AUTH_INVALID_CREDENTIALS", await FactorsServer.OutcomeAsync(await server.RecoverAsync(await server.ChallengeAsync(person.Email), app.RecoveryCodes[1])));
        Assert.Equal("200", await FactorsServer.OutcomeAsync(await server.AnswerAsync(await server.ChallengeAsync(person.Email), app.Code())));
    }

    private static async Task<string> SecretAsync(FactorsServer server, Person person) => Convert.ToHexString(
        (await server.Database.ReadAsync(
            session => session.QueryFirstAsync("SELECT secret FROM totp WHERE account_id = $1", static row => row.GetFieldValue<byte[]>(0), person.Id), TestContext.Current.CancellationToken))!);

    private sealed class ChangingKeyServer(TestDatabaseKind kind) : FactorsServer(kind)
    {
        public IReadOnlyList<string> Keys { get; set; } = [$"--SECRET_KEY={Old}"];

        protected override IReadOnlyList<string> SettingsOfStart => Keys;
    }
}
