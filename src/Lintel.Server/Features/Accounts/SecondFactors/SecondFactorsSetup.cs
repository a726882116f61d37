using Lintel.Features.Accounts.SecondFactors.Challenges;
using Lintel.Features.Accounts.SecondFactors.Codes;
using Lintel.Features.Accounts.SecondFactors.Devices;
using Lintel.Features.Accounts.SecondFactors.Passkeys;
using Lintel.Features.Mail;
using Lintel.Platform.Configuration;
using Lintel.Platform.Http;
using Lintel.Platform.OpenApi;
using Lintel.Platform.Storage;

namespace Lintel.Features.Accounts.SecondFactors;

internal static class SecondFactorsSetup
{
    public static void AddSecondFactors(this IHostApplicationBuilder builder)
    {
        builder.AddSettings(PasskeySettings.Read);
        builder.AddJson(SecondFactorsJson.Default);
        builder.AddMailTemplate(FactorNews.AddedMail);
        builder.AddMailTemplate(FactorNews.RemovedMail);
        builder.AddMailTemplate(FactorNews.AllRemovedMail);
        builder.AddMailTemplate(FactorNews.RecoveryCodeMail);
        builder.DescribeTag(
            SecondFactorEndpoints.Tag,
            "Codes of an authenticator app, passkeys, recovery codes, remembered devices. A 401 with the code `AUTH_2FA_REQUIRED` names a challenge, which is answered with `POST /auth/2fa`.");

        builder.AddExpiry("factor_challenge", "id");
        builder.AddExpiry("remembered_device", "id");

        var services = builder.Services;
        services.AddSingleton<AuthenticatorSetup>();
        services.AddSingleton<ChallengeAnswers>();
        services.AddSingleton<FactorChallenges>();
        services.AddSingleton<FactorNews>();
        services.AddSingleton<FactorProofs>();
        services.AddSingleton<FactorSecrets>();
        services.AddSingleton<FactorTable>();
        services.AddSingleton<PasskeyCeremonies>();
        services.AddSingleton<PasskeyRegistration>();
        services.AddSingleton<PasskeySignIn>();
        services.AddSingleton<PasskeyStore>();
        services.AddSingleton<PasskeyTable>();
        services.AddSingleton<RecoveryCodes>();
        services.AddSingleton<RememberedDevices>();
        services.AddSingleton<SecondFactorLog>();
        services.AddSingleton<StepUp>();
        services.AddSingleton<TotpTable>();
        services.AddHostedService<TotpReencryption>();
    }
}
