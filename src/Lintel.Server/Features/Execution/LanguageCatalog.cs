using Lintel.Platform.Caching;

namespace Lintel.Features.Execution;

/// <summary>The list of languages as it is sent. They are looked for once, so it is written once.</summary>
internal sealed class LanguageCatalog(ExecutionSandbox sandbox)
{
    private volatile CachedBody? _body;

    /// <exception cref="Platform.Errors.ServiceUnavailableException">No code can be run here.</exception>
    public async ValueTask<CachedBody> GetAsync(CancellationToken cancellationToken)
    {
        var runner = await sandbox.GetAsync(cancellationToken);
        return _body ??= CachedBody.Of(
            new LanguageList(
                [
                    .. runner.Toolchains.Select(static toolchain => new LanguageView(
                        toolchain.Language.Id, toolchain.Language.Name, toolchain.Language.Aliases, toolchain.Version, toolchain.IsInstalled, toolchain.Reason,
                        toolchain.Language.Compile is not null)),
                ],
                null),
            ExecutionJson.Default.LanguageList);
    }
}
