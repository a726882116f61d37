using Lintel.Features.Administration.Erasure;
using Lintel.Features.Administration.Importing;
using Lintel.Platform.Http;

namespace Lintel.Features.Administration;

internal static class AdministrationFeature
{
    /// <summary>What administrators do with accounts, and what people do with theirs as a whole.</summary>
    public static void AddAdministration(this IHostApplicationBuilder builder)
    {
        builder.AddJson(AdministrationJson.Default);
        builder.AddJson(FirstAdminJson.Default);
        builder.AddJson(ImportJson.Default);
        builder.Services.AddSingleton<AccountErasure>();
        builder.Services.AddHostedService(static services => services.GetRequiredService<AccountErasure>());
        builder.Services.AddSingleton<DataExport>();
        builder.Services.AddSingleton<FirstAdmin>();
        builder.Services.AddSingleton<UserImport>();
        builder.Services.AddSingleton<UserTable>();
    }

    public static void MapAdministration(this IEndpointRouteBuilder routes)
    {
        routes.MapUsers();
        routes.MapImport();
        routes.MapErasure();
        FirstAdmin.Map(routes);
    }
}
