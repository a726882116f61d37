using System.Buffers;
using Microsoft.Extensions.Primitives;

namespace Lintel.Platform.Telemetry;

/// <summary>The id that ties together a request, its response and its log lines.</summary>
internal static class RequestId
{
    public const string HeaderName = "X-Request-ID";

    private const int MaxLength = 128;

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    private static readonly AsyncLocal<string?> Ambient = new();

    /// <summary>
    /// The id of the request that this code runs for, however deep; null outside of one. Work that outlives its request keeps
    /// the id of the request that began it, unless it is started with the execution context suppressed.
    /// </summary>
    public static string? Current
    {
        get => Ambient.Value;
        set => Ambient.Value = value;
    }

    /// <summary>The id that the client sent, if it is a proper one, else a new one.</summary>
    public static string For(StringValues sent) => sent.Count == 1 && IsProper(sent[0]) ? sent[0]! : Create();

    private static bool IsProper(string? id) =>
        id is { Length: > 0 and <= MaxLength } && !id.AsSpan().ContainsAnyExcept(Allowed);

    private static string Create()
    {
        // Not a secret, only unlikely to repeat.
        Span<byte> bytes = stackalloc byte[16];
        Random.Shared.NextBytes(bytes);
        return Convert.ToHexStringLower(bytes);
    }
}
