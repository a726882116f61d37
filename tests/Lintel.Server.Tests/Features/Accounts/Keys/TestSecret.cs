using Lintel.Platform.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;

namespace Lintel.Features.Accounts.Keys;

internal static class TestSecret
{
    /// <summary>What the server reads of <c>SECRET_KEY</c>.</summary>
    public static SecretKey Of(string secret) => SecretKey.Read(new(
        new ConfigurationBuilder().AddInMemoryCollection([new("SECRET_KEY", secret)]).Build(), WebApplication.CreateEmptyBuilder(new()).Environment));
}
